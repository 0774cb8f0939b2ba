package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/respjson"
)

type settings struct{ ReasoningEffort openai.ReasoningEffort }

var client = openai.NewClient(
	option.WithBaseURL(os.Getenv("BASE_URL")+"/v1"),
	option.WithAPIKey(os.Getenv("API_KEY")),
)

func request(question string, settings settings) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:           os.Getenv("MODEL"),
		Messages:        []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)},
		Temperature:     openai.Float(0),
		ReasoningEffort: settings.ReasoningEffort,
	}
}

// thinking returns a field that OpenAI's own API has not; "" where it is absent or null.
func thinking(fields map[string]respjson.Field) string {
	var text *string
	if raw := fields["reasoning_content"].Raw(); raw != "" {
		check(json.Unmarshal([]byte(raw), &text))
	}
	if text == nil {
		return ""
	}
	return *text
}

func whole(question string, settings settings) Seen {
	completion, err := client.Chat.Completions.New(context.Background(), request(question, settings))
	check(err)
	message := completion.Choices[0].Message
	return Seen{
		Thinking: thinking(message.JSON.ExtraFields),
		Answer:   message.Content,
		Tokens:   completion.Usage.CompletionTokensDetails.ReasoningTokens,
		Reply:    json.RawMessage(completion.RawJSON()),
	}
}

func stream(question string, settings settings) Seen {
	params := request(question, settings)
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := client.Chat.Completions.NewStreaming(context.Background(), params)
	seen, chunks := Seen{}, []json.RawMessage{}
	for stream.Next() {
		chunk := stream.Current()
		chunks = append(chunks, json.RawMessage(chunk.RawJSON()))
		if tokens := chunk.Usage.CompletionTokensDetails.ReasoningTokens; tokens > 0 {
			seen.Tokens = tokens
		}
		for _, choice := range chunk.Choices {
			seen.Thinking += thinking(choice.Delta.JSON.ExtraFields)
			seen.Answer += choice.Delta.Content
		}
	}
	check(stream.Err())
	seen.Reply = chunks
	return seen
}

func main() {
	run(Client[settings]{
		Title:   "OpenAI for Go, Chat Completions",
		Package: "github.com/openai/openai-go/v3",
		On:      settings{openai.ReasoningEffortMedium},
		Off:     settings{openai.ReasoningEffortNone},
		Sees: Sees{
			Whole:    place(`message.JSON.ExtraFields["reasoning_content"]`),
			Streamed: place(`delta.JSON.ExtraFields["reasoning_content"]`),
			Tokens:   place("usage.CompletionTokensDetails.ReasoningTokens"),
		},
		Whole:  whole,
		Stream: stream,
	})
}
