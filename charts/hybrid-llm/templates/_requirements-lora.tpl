{{/* Adapters of a model. (dict "root" "plan" "model") */}}
{{- define "hybrid-llm.requirements.lora" -}}
{{- $plan := .plan -}}
{{- $m := .model -}}
{{- $lora := $m.lora -}}
{{- $from := .root.Values.weights.from -}}
{{- $names := list "think" "no-think" "auto" -}}
{{- $ids := list -}}
{{- range $plan.models -}}{{- $ids = append $ids .id -}}{{- end -}}
{{- if and $lora.adapters $lora.bucket -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%slora.bucket" $m.at) $lora.bucket "lora.adapters names some, and Ray loads those of a bucket by itself" "use one of the two") -}}
{{- end -}}
{{- if and $lora.bucket (not $plan.fromNetwork) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%slora.bucket" $m.at) $lora.bucket (printf "with weights.from=%s the network is closed to a worker" $from) "put the adapters beside the weights, and name them in lora.adapters") -}}
{{- end -}}
{{- range $name, $source := $lora.adapters -}}
  {{- $key := printf "%slora.adapters.%s" $m.at $name -}}
  {{- if has $name $names -}}
    {{- include "hybrid-llm.problem" (list $plan $key $source "that ending of a model's name is a mode of thinking" "choose another name") -}}
  {{- else if has $name $ids -}}
    {{- include "hybrid-llm.problem" (list $plan $key $source "a model has that name" "choose another name") -}}
  {{- end -}}
  {{- range $plan.models -}}
    {{- if and (ne .id $m.id) (hasKey .lora.adapters $name) -}}
      {{- include "hybrid-llm.problem" (list $plan $key $source (printf "%s has an adapter of that name too" .id) "give each its own, by which clients ask for it") -}}
    {{- end -}}
  {{- end -}}
  {{- if and (eq $from "hub") (not (regexMatch "^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9._-]+$" $source)) -}}
    {{- include "hybrid-llm.problem" (list $plan $key $source "weights.from=hub needs the name of a hub repository (owner/name)" "name it so, or take model and adapters from a folder") -}}
  {{- else if eq $from "bucket" -}}
    {{- include "hybrid-llm.problem" (list $plan $key $source "vLLM reads an adapter from the hub or a folder" "set lora.bucket to the folder that has the adapters") -}}
  {{- else if and (has $from (list "claim" "image")) (not (regexMatch "^/weights/.+$" $source)) -}}
    {{- include "hybrid-llm.problem" (list $plan $key $source (printf "weights.from=%s mounts its files at /weights" $from) "name the folder below it that has adapter_config.json") -}}
  {{- else if and (eq $from "path") (not (or (hasPrefix "/" $source) (hasPrefix "models/" $source))) -}}
    {{- include "hybrid-llm.problem" (list $plan $key $source "weights.from=path needs an absolute path" "name a folder of the image or of worker.volumeMounts") -}}
  {{- end -}}
{{- end -}}
{{- end -}}
