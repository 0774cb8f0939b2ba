{{/* What the model's own way of thinking leaves no room for. (dict "root" "plan" "model") */}}
{{- define "hybrid-llm.requirements.reasoning" -}}
{{- $plan := .plan -}}
{{- $values := .root.Values -}}
{{- $vllm := fromYaml (.root.Files.Get "files/vllm.yaml") -}}
{{- $m := .model -}}
{{- $at := $m.at -}}
{{- $spec := $m.spec -}}
{{- $thinking := $spec.thinking -}}
{{- $both := eq $thinking.modes "both" -}}
{{- $only := ternary "true" "false" (eq $thinking.modes "always") -}}
{{- $does := printf "this model %s thinks" $thinking.modes -}}
{{- $hybrid := "hybrid model such as qwen3-32b" -}}
{{- $reasoning := $m.reasoning -}}
{{- if and (not $reasoning.parser) (ne $thinking.modes "never") -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%smodel.overrides.reasoningParser" $at) "" "without a parser the thinking would be a part of the answer" "name one: reasoningParsers in files/vllm.yaml has them all") -}}
{{- else if and $reasoning.parser (not (has $reasoning.parser $vllm.reasoningParsers)) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sreasoning.parser" $at) $reasoning.parser (printf "vLLM %s has no such reasoning parser" $vllm.version) (printf "leave it empty for %s, or use one of: %s" $spec.reasoningParser (include "hybrid-llm.nearest" (dict "word" $reasoning.parser "names" $vllm.reasoningParsers "all" "reasoningParsers in files/vllm.yaml")))) -}}
{{- else if and (ne $thinking.modes "always") (eq $reasoning.parser "deepseek_r1") -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sreasoning.parser" $at) $reasoning.parser "with thinking off it takes the whole answer for thinking, and content is null (vllm#17349)" (printf "use %s" $spec.reasoningParser)) -}}
{{- end -}}
{{- include "hybrid-llm.requirements.thinking" (dict "plan" $plan "model" $m) -}}
{{- if and (not $both) (ne ($reasoning.thinkingDefault | toString) $only) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sreasoning.thinkingDefault" $at) $reasoning.thinkingDefault $does (printf "leave it null, or choose a %s" $hybrid)) -}}
{{- end -}}
{{- include "hybrid-llm.requirements.budgets" (dict "plan" $plan "model" $m "place" (printf "%sreasoning" $at) "of" $reasoning "most" $reasoning.maxTokenBudget "limit" "reasoning.maxTokenBudget") -}}
{{- include "hybrid-llm.requirements.adaptive" (dict "plan" $plan "place" (printf "%sreasoning" $at) "default" $reasoning.thinkingDefault "adaptive" $reasoning.adaptive) -}}
{{- $logprobs := get $m.engine.kwargs "logprobs_mode" -}}
{{- $drafts := false -}}
{{- range concat (list $reasoning) (values (default dict $reasoning.keys)) -}}
  {{- if and .adaptive (not (kindIs "invalid" .adaptive.threshold)) -}}{{- $drafts = true -}}{{- end -}}
{{- end -}}
{{- if and $logprobs (ne $logprobs "raw_logprobs") $drafts -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sengine.kwargs.logprobs_mode" $at) $logprobs "the probability of a draft's tokens is the model's own, which this hides (reasoning.adaptive)" "leave it out, or set reasoning.adaptive.enabled=false") -}}
{{- end -}}
{{- if and $reasoning.keys (not $values.auth.enabled) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sreasoning.keys" $at) (keys $reasoning.keys | sortAlpha | join ", ") "auth.enabled is false, so no request has a key and a name" "set auth.enabled=true, or leave it empty") -}}
{{- end -}}
{{- range $name, $key := $reasoning.keys -}}
  {{- $place := printf "%sreasoning.keys.%s" $at $name -}}
  {{- $own := hasKey $key "maxTokenBudget" -}}
  {{- include "hybrid-llm.requirements.budgets" (dict "plan" $plan "model" $m "place" $place "of" $key "most" (index (ternary $key $reasoning $own) "maxTokenBudget") "limit" (ternary (printf "reasoning.keys.%s.maxTokenBudget" $name) "reasoning.maxTokenBudget" $own)) -}}
  {{- include "hybrid-llm.requirements.adaptive" (dict "plan" $plan "place" $place "default" (dig "thinkingDefault" $reasoning.thinkingDefault $key) "adaptive" (default $reasoning.adaptive $key.adaptive)) -}}
  {{- if and (not $both) (hasKey $key "thinkingDefault") (ne ($key.thinkingDefault | toString) $only) -}}
    {{- include "hybrid-llm.problem" (list $plan (printf "%s.thinkingDefault" $place) $key.thinkingDefault $does (printf "leave it out, or choose a %s" $hybrid)) -}}
  {{- end -}}
  {{- if and (not $both) $key.allowOverride -}}
    {{- include "hybrid-llm.problem" (list $plan (printf "%s.allowOverride" $place) true (printf "%s, so there is nothing to choose" $does) (printf "leave it out, or choose a %s" $hybrid)) -}}
  {{- end -}}
{{- end -}}
{{- if and $reasoning.lanes.enabled (not $both) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sreasoning.lanes.enabled" $at) true (printf "%s, so all requests would be in one lane" $does) (printf "set it to false, or choose a %s" $hybrid)) -}}
{{- end -}}
{{- if and $reasoning.lanes.enabled (le $m.maxOngoing $m.maxNumSeqs) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sautoscaling.maxOngoingRequests" $at) $m.maxOngoing (printf "no more than engine.maxNumSeqs (%d) at once, so requests would wait in front of the engine, where reasoning.lanes do not count" $m.maxNumSeqs) (printf "leave it null for %d, or raise it" (mul 6 $m.maxNumSeqs))) -}}
{{- end -}}
{{- end -}}

{{/* The preset's `thinking` map, which overrides may have changed. (dict "plan" "model") */}}
{{- define "hybrid-llm.requirements.thinking" -}}
{{- $thinking := .model.spec.thinking -}}
{{- $place := printf "%smodel.overrides.thinking" .model.at -}}
{{- $told := and (hasKey $thinking "enabled") (hasKey $thinking "disabled") -}}
{{- if and (eq $thinking.modes "both") (not (and $thinking.argument $told)) -}}
  {{- include "hybrid-llm.problem" (list .plan (printf "%s.argument" $place) $thinking.argument "a model that has both modes must be told which" "name the argument of its chat template, and in `enabled` and `disabled` its values for on and off") -}}
{{- else if and $thinking.argument (not $told) -}}
  {{- include "hybrid-llm.problem" (list .plan (printf "%s.argument" $place) $thinking.argument "`enabled` or `disabled`, its values, are missing" "set both, or leave the argument empty") -}}
{{- else if and (ne $thinking.modes "both") (ne ($thinking.default | toString) (ternary "true" "false" (eq $thinking.modes "always"))) -}}
  {{- include "hybrid-llm.problem" (list .plan (printf "%s.default" $place) $thinking.default (printf "modes is %s" $thinking.modes) "set it to what the model does") -}}
{{- end -}}
{{- end -}}

{{/*
Tokens of thinking, of a model or of a key.
(dict "plan" "model" "place" of the values "of" the values "most" tokens-or-nil "limit" the key of `most`)
*/}}
{{- define "hybrid-llm.requirements.budgets" -}}
{{- $m := .model -}}
{{- $of := .of -}}
{{- range $field := list "tokenBudget" "maxTokenBudget" -}}
  {{- $tokens := index $of $field -}}
  {{- if and (not (kindIs "invalid" $tokens)) (ge ($tokens | int) $m.maxModelLen) -}}
    {{- include "hybrid-llm.problem" (list $.plan (printf "%s.%s" $.place $field) $tokens (printf "thinking that long leaves no room for prompt and answer in model.maxModelLen (%d)" $m.maxModelLen) "lower it, or leave it null for no limit") -}}
  {{- end -}}
{{- end -}}
{{- $budgets := dict "tokenBudget" $of.tokenBudget -}}
{{- range $effort, $tokens := $of.effortBudgets -}}{{- $_ := set $budgets (printf "effortBudgets.%s" $effort) $tokens -}}{{- end -}}
{{- $thinking := $m.spec.thinking -}}
{{- $no := "" -}}
{{- if eq $thinking.modes "never" -}}{{- $no = "this model never thinks" -}}{{- else if eq $thinking.budget "none" -}}{{- $no = "nothing bounds this model's thinking" -}}{{- end -}}
{{- if $no -}}
  {{- $instead := ternary (printf "; a request asks for less by reasoning_effort: %s" (join ", " $thinking.efforts)) "" (not (empty $thinking.efforts)) -}}
  {{- range $field, $tokens := merge (dict "maxTokenBudget" $of.maxTokenBudget) $budgets -}}
    {{- if not (or (kindIs "invalid" $tokens) (and (ne $field "maxTokenBudget") (eq (toJson $tokens) (toJson $.most)))) -}}{{/* what follows from it */}}
      {{- include "hybrid-llm.problem" (list $.plan (printf "%s.%s" $.place $field) $tokens $no (printf "leave it null%s" $instead)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- range $field, $tokens := $budgets -}}
  {{- if and (not (kindIs "invalid" $tokens)) (not (kindIs "invalid" $.most)) (gt ($tokens | int) ($.most | int)) -}}
    {{- include "hybrid-llm.problem" (list $.plan (printf "%s.%s" $.place $field) $tokens (printf "is more than %s (%d)" $.limit ($.most | int)) "lower it, or raise maxTokenBudget") -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/*
A default that leaves it to the model, of a model or of a key.
(dict "plan" "place" of the values "default" thinkingDefault "adaptive" as the Serve config has it)
*/}}
{{- define "hybrid-llm.requirements.adaptive" -}}
{{- if and .adaptive (eq (.default | toString) "adaptive") (kindIs "invalid" .adaptive.threshold) -}}
  {{- include "hybrid-llm.problem" (list .plan (printf "%s.thinkingDefault" .place) .default "adaptive.enabled is false, so there are no drafts and every request would think" "set thinkingDefault to true, or adaptive.enabled to true") -}}
{{- end -}}
{{- end -}}
