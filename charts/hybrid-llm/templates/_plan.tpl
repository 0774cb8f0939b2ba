{{/*
The plan: presets, values and what follows from them, worked out once. Every other template reads the
plan and derives nothing itself, so that numbers that must agree come from one place.

Sets in the dict given:
  models    a list of dicts, one a model (hybrid-llm.model)
  problems  what keeps these values from working; hybrid-llm.requirements fails with them
(dict "root" $ "out" dict)

It is kept among the values, which all files share: working it out takes most of the time of a rendering.
*/}}
{{- define "hybrid-llm.plan" -}}
{{- $kept := "(plan)" -}}
{{- if not (hasKey .root.Values $kept) -}}
  {{- $plan := dict -}}
  {{- include "hybrid-llm.plan.work" (dict "root" .root "out" $plan) -}}
  {{- $_ := set .root.Values $kept $plan -}}
{{- end -}}
{{- $out := .out -}}
{{- range $name, $found := get .root.Values $kept -}}{{- $_ := set $out $name $found -}}{{- end -}}
{{- end -}}

{{- define "hybrid-llm.plan.work" -}}
{{- $root := .root -}}
{{- $out := .out -}}
{{- $_ := set $out "problems" list -}}
{{- $models := list -}}
{{- $values := $root.Values -}}
{{- include "hybrid-llm.numbers" (pick $values "additionalModels" "autoscaling" "dashboard" "engine" "prometheusRule" "reasoning" "serving" "tracing") -}}
{{- $first := dict "at" "" "model" $values.model "accelerator" $values.accelerator "parallelism" $values.parallelism "autoscaling" $values.autoscaling "engine" $values.engine "lora" $values.lora "reasoning" $values.reasoning -}}
{{- $given := list $first -}}
{{- range $index, $item := $values.additionalModels -}}
  {{- $one := dict "at" (printf "additionalModels[%d]." $index) -}}
  {{- $accelerator := ternary (dict "platform" $values.accelerator.platform) $values.accelerator (hasKey (default dict $item.accelerator) "preset") -}}
  {{- $base := dict
    "model" (dict "preset" "" "id" "" "source" "" "revision" "" "maxModelLen" nil "overrides" dict)
    "accelerator" (merge (dict) $accelerator (dict "preset" "" "type" "" "platform" "" "nodeSelector" dict "tolerations" nil "sharedBy" nil "dra" $values.accelerator.dra "spot" $values.accelerator.spot "overrides" dict))
    "parallelism" (dict "tensor" nil "pipeline" 1 "hosts" 1)
    "autoscaling" $values.autoscaling
    "engine" (set (set (deepCopy $values.engine) "maxNumBatchedTokens" nil) "kwargs" dict)
    "lora" (dict "adapters" dict "bucket" "" "maxLoras" 1 "maxRank" 16)
    "reasoning" (merge (dict "parser" "" "adaptive" (dict "enabled" $values.reasoning.adaptive.enabled "threshold" nil "draftTokens" nil)) (omit $values.reasoning "parser" "adaptive"))
  -}}
  {{- /* Helm drops the values that are null by default. */ -}}
  {{- $nulls := dict "accelerator" (list "tolerations" "sharedBy") "autoscaling" (list "wakeWaitSeconds" "targetOngoingRequests" "maxOngoingRequests" "maxQueuedRequests") "reasoning" (list "thinkingDefault" "tokenBudget" "maxTokenBudget") -}}
  {{- range $section, $defaults := $base -}}
    {{- $whole := deepCopy $defaults -}}
    {{- range get $nulls $section | default list -}}
      {{- if not (hasKey $whole .) -}}{{- $_ := set $whole . nil -}}{{- end -}}
    {{- end -}}
    {{- range $field, $value := get $item $section | default dict -}}
      {{- if not (hasKey $whole $field) -}}
        {{- include "hybrid-llm.problem" (list $out (printf "additionalModels[%d].%s.%s" $index $section $field) $value "there is no such value" (printf "there are: %s" (keys $whole | sortAlpha | join ", "))) -}}
      {{- end -}}
      {{- /* Entry by entry, as Helm does with those of the first. */ -}}
      {{- if has (printf "%s.%s" $section $field) (list "accelerator.dra" "accelerator.spot" "reasoning.adaptive" "reasoning.effortBudgets" "reasoning.lanes") -}}
        {{- range $entry, $own := $value -}}{{- $_ := set (get $whole $field) $entry $own -}}{{- end -}}
      {{- else -}}
        {{- $_ := set $whole $field $value -}}
      {{- end -}}
    {{- end -}}
    {{- $_ := set $one $section $whole -}}
  {{- end -}}
  {{- $given = append $given $one -}}
{{- end -}}
{{- range $given -}}
  {{- $model := dict -}}
  {{- include "hybrid-llm.model" (dict "root" $root "given" . "out" $out "model" $model) -}}
  {{- if $model.spec -}}{{- $models = append $models $model -}}{{- end -}}
{{- end -}}
{{- $_ := set $out "models" $models -}}
{{- if eq (len $models) (len $given) -}}
  {{- $scales := false -}}
  {{- $toZero := false -}}
  {{- $pods := 0 -}}
  {{- $most := 0 -}}
  {{- $least := 0 -}}
  {{- $further := 0 -}}
  {{- $spot := false -}}
  {{- $wakeWaits := dict -}}
  {{- range $models -}}
    {{- $scales = or $scales (gt .maxReplicas .minReplicas) -}}
    {{- $toZero = or $toZero (eq .minReplicas 0) -}}
    {{- $spot = or $spot .spot -}}
    {{- $pods = add $pods (mul .maxReplicas .hosts) -}}
    {{- $most = add $most .maxReplicas -}}
    {{- $least = add $least .minReplicas -}}
    {{- $further = add $further (mul .minReplicas (sub .hosts 1)) -}}
    {{- if and (eq .minReplicas 0) (not (kindIs "invalid" .autoscaling.wakeWaitSeconds)) -}}
      {{- $_ := set $wakeWaits .id (.autoscaling.wakeWaitSeconds | int) -}}
    {{- end -}}
  {{- end -}}
  {{- $_ := set $out "sleeps" $toZero -}}
  {{- $_ := set $out "wakeWaits" $wakeWaits -}}
  {{- /* Nothing else has several models, or holds a request while the first replica starts. */ -}}
  {{- $_ := set $out "needsIngress" (or (gt (len $models) 1) $toZero) -}}
  {{- $direct := ternary (not $out.needsIngress) (eq $values.serving.mode "direct") (eq $values.serving.mode "auto") -}}
  {{- $_ := set $out "direct" $direct -}}
  {{- /* The ingress would keep a worker, and its accelerators, alive; so it gets a pod of its own. */ -}}
  {{- $_ := set $out "ingressGroup" (and $toZero (not $direct)) -}}
  {{- /* KubeRay lets Ray's autoscaler move the workers from one cluster to the other. */ -}}
  {{- $_ := set $out "gradual" (eq $values.ray.upgrade.strategy "NewClusterWithIncrementalUpgrade") -}}
  {{- $_ := set $out "autoscaling" (or $scales $out.ingressGroup $out.gradual) -}}
  {{- $_ := set $out "workerPods" $pods -}}
  {{- $_ := set $out "maxReplicas" $most -}}
  {{- $keep := $values.podDisruptionBudget.minAvailable -}}
  {{- /* A spot node ends whether its pods may go or not, so that the last one had better drain too. */ -}}
  {{- $_ := set $out "minAvailable" (ternary (max (ternary 0 1 $spot) (sub $least 1)) $keep (kindIs "invalid" $keep) | int) -}}
  {{- /* A further host's pod never counts as ready, so that a budget could only keep them all. */ -}}
  {{- $_ := set $out "keptHosts" (ternary $further 0 (ge $out.minAvailable ($least | int)) | int) -}}
  {{- $_ := set $out "fromNetwork" (has $values.weights.from (list "hub" "bucket")) -}}
  {{- $identity := list -}}
  {{- $bucket := eq $values.weights.from "bucket" -}}
  {{- range $models -}}{{- $bucket = or $bucket (ne .lora.bucket "") -}}{{- end -}}
  {{- if $bucket -}}
    {{- $byPlatform := $root.Files.Get "files/workload-identity.yaml" | fromYaml -}}
    {{- range $models -}}{{- $identity = concat $identity (get $byPlatform .platform | default list) | uniq -}}{{- end -}}
  {{- end -}}
  {{- $_ := set $out "identityEgress" $identity -}}
{{- end -}}
{{- include "hybrid-llm.requirements" (dict "root" $root "plan" $out "given" $given) -}}
{{- end -}}

{{/* A preset with its overrides, or a problem. (dict "root" "kind" "at" "given" "out" "result") */}}
{{- define "hybrid-llm.preset" -}}
{{- $kind := .kind -}}
{{- $folder := printf "presets/%ss" $kind -}}
{{- $key := printf "%s%s.preset" .at $kind -}}
{{- $preset := dict -}}
{{- $missing := false -}}
{{- if .given.preset -}}
  {{- $text := .root.Files.Get (printf "%s/%s.yaml" $folder .given.preset) -}}
  {{- if $text -}}
    {{- $preset = fromYaml $text -}}
  {{- else -}}
    {{- $missing = true -}}
    {{- $names := list -}}
    {{- range $path, $_ := .root.Files.Glob (printf "%s/*.yaml" $folder) -}}
      {{- $names = append $names (base $path | trimSuffix ".yaml") -}}
    {{- end -}}
    {{- include "hybrid-llm.problem" (list .out $key .given.preset (printf "there is no file %s/%s.yaml" $folder .given.preset) (printf "choose one of: %s; or add that file" (include "hybrid-llm.nearest" (dict "word" .given.preset "names" $names "all" $folder)))) -}}
  {{- end -}}
{{- end -}}
{{- if not $missing -}}
  {{- /* Which fields there are is what the default preset has. */ -}}
  {{- $example := fromYaml (.root.Files.Get (ternary "presets/models/qwen3-30b-a3b.yaml" "presets/accelerators/cpu.yaml" (eq $kind "model"))) -}}
  {{- $more := ternary (list "adaptive" "attention" "activeParameters" "longContext") list (eq $kind "model") -}}{{/* that only some have */}}
  {{- range $more -}}{{- $_ := set $example . dict -}}{{- end -}}
  {{- if eq $kind "accelerator" -}}{{- $_ := set $example "peak" dict -}}{{- $_ := set $example "migMiB" dict -}}{{- end -}}{{/* which a CPU has not */}}
  {{- range $field, $_ := .given.overrides -}}
    {{- if not (hasKey $example $field) -}}
      {{- include "hybrid-llm.problem" (list $.out (printf "%s%s.overrides.%s" $.at $kind $field) "" "a preset has no such field" (printf "its fields: %s" (include "hybrid-llm.nearest" (dict "word" $field "names" (keys $example) "all" (printf "any file of %s" $folder))))) -}}
    {{- end -}}
  {{- end -}}
  {{- /* Field by field: sprig's merges take 0, false and "" for absent. */ -}}
  {{- $whole := deepCopy $preset -}}
  {{- range $field, $value := .given.overrides -}}
    {{- if ne $field "thinking" -}}{{- $_ := set $whole $field $value -}}{{- end -}}
  {{- end -}}
  {{- with .given.overrides.thinking -}}
    {{- $thinking := get $whole "thinking" | default dict -}}
    {{- range $field, $value := . -}}{{- $_ := set $thinking $field $value -}}{{- end -}}
    {{- $_ := set $whole "thinking" $thinking -}}
  {{- end -}}
  {{- $lacking := list -}}
  {{- range $field, $_ := omit $example "adaptive" "attention" "activeParameters" "longContext" "peak" "migMiB" "revision" "experts" "activeExperts" "engineKwargs" "env" -}}
    {{- if not (hasKey $whole $field) -}}{{- $lacking = append $lacking $field -}}{{- end -}}
  {{- end -}}
  {{- range $field, $_ := omit (default dict $example.thinking) "enabled" "disabled" -}}
    {{- if and $whole.thinking (not (hasKey $whole.thinking $field)) -}}{{- $lacking = append $lacking (printf "thinking.%s" $field) -}}{{- end -}}
  {{- end -}}
  {{- if $lacking -}}
    {{- $lacks := join ", " (sortAlpha $lacking) -}}
    {{- $overrides := printf "%s%s.overrides" .at $kind -}}
    {{- if .given.preset -}}
      {{- include "hybrid-llm.problem" (list .out $key .given.preset (printf "the file %s/%s.yaml lacks: %s" $folder .given.preset $lacks) (printf "add them to it, or set them in %s" $overrides)) -}}
    {{- else -}}
      {{- include "hybrid-llm.problem" (list .out $key "" (printf "without a preset %s must describe it whole, and lacks: %s" $overrides $lacks) (printf "set them, or name a file of %s" $folder)) -}}
    {{- end -}}
  {{- else -}}
    {{- $_ := set .result $kind $whole -}}
    {{- $_ := set .result (printf "%sPreset" $kind) $preset -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/*
One model, resolved. Sets in `model`: name (of its worker group), id, spec (its preset), accelerator (its
accelerator's preset), and every number that the Serve config and the worker group need.
*/}}
{{- define "hybrid-llm.model" -}}
{{- $given := .given -}}
{{- $model := .model -}}
{{- $presets := dict -}}
{{- include "hybrid-llm.preset" (dict "root" .root "kind" "model" "at" $given.at "given" $given.model "out" .out "result" $presets) -}}
{{- include "hybrid-llm.preset" (dict "root" .root "kind" "accelerator" "at" $given.at "given" $given.accelerator "out" .out "result" $presets) -}}
{{- if and $presets.model $presets.accelerator -}}
  {{- $spec := $presets.model -}}
  {{- $accelerator := $presets.accelerator -}}
  {{- $engine := $given.engine -}}
  {{- $cpu := eq $accelerator.resourceName "" -}}
  {{- $name := default "model" $given.model.preset -}}
  {{- $id := default (printf "my-%s" ($name | replace "qwen3" "qwen-3")) $given.model.id -}}
  {{- $_ := set $model "at" $given.at -}}
  {{- $_ := set $model "spec" $spec -}}
  {{- include "hybrid-llm.slice" (dict "given" $given.accelerator "accelerator" $accelerator "whole" $presets.acceleratorPreset.memoryMiB "model" $model) -}}
  {{- $_ := set $model "accelerator" $accelerator -}}
  {{- $_ := set $model "id" $id -}}
  {{- $_ := set $model "name" (regexReplaceAll "[^a-z0-9]+" ($id | lower) "-" | trunc 40 | trimAll "-" | default "model") -}}
  {{- /* As Ray Serve LLM names it. */ -}}
  {{- $_ := set $model "deployment" (printf "LLMServer:%s" ($id | replace "/" "--" | replace "." "_")) -}}
  {{- $_ := set $model "source" (default $spec.source $given.model.source) -}}
  {{- /* The preset's is of its own source. */ -}}
  {{- $moved := or $given.model.source (hasKey $given.model.overrides "source") (ne .root.Values.weights.from "hub") -}}
  {{- $pinned := ternary "" (default "" $spec.revision) (and $moved (not (hasKey $given.model.overrides "revision"))) -}}
  {{- $_ := set $model "revision" (default $pinned $given.model.revision) -}}
  {{- $_ := set $model "cpu" $cpu -}}
  {{- $_ := set $model "engine" $engine -}}
  {{- $_ := set $model "label" (default $accelerator.label $given.accelerator.type) -}}
  {{- $_ := set $model "maxModelLen" (default (min 32768 ($spec.maxPositions | int)) $given.model.maxModelLen | int) -}}
  {{- $_ := set $model "maxNumSeqs" ($engine.maxNumSeqs | int) -}}
  {{- $_ := set $model "kvCacheDtype" $engine.kvCacheDtype -}}
  {{- $_ := set $model "gpuMemoryUtilization" $engine.gpuMemoryUtilization -}}
  {{- /* vLLM takes a part of all the memory that it sees, which is the whole GPU's where it is shared. */ -}}
  {{- $_ := set $model "engineUtilization" $engine.gpuMemoryUtilization -}}
  {{- if gt ($model.slice.sharedBy | int) 1 -}}{{- $_ := set $model "engineUtilization" (round (divf $engine.gpuMemoryUtilization $model.slice.sharedBy) 4) -}}{{- end -}}
  {{- $_ := set $model "lora" (set (set (deepCopy $given.lora) "maxLoras" ($given.lora.maxLoras | int)) "maxRank" ($given.lora.maxRank | int)) -}}
  {{- $_ := set $model.lora "enabled" (or (not (empty $given.lora.adapters)) (ne $given.lora.bucket "")) -}}
  {{- $_ := set $model.lora "inMemory" (max $model.lora.maxLoras (ternary 16 (len $given.lora.adapters) (ne $given.lora.bucket ""))) -}}
  {{- $_ := set $model "cpuCacheGiB" (get (default dict $accelerator.env) "VLLM_CPU_KVCACHE_SPACE" | default "0" | float64) -}}
  {{- $_ := set $model "pipeline" ($given.parallelism.pipeline | int) -}}
  {{- $_ := set $model "hosts" ($given.parallelism.hosts | int) -}}
  {{- include "hybrid-llm.tensor" (dict "given" $given.parallelism.tensor "model" $model) -}}
  {{- $_ := set $model "accelerators" (ternary 0 (mul $model.tensor $model.pipeline | int) $cpu) -}}
  {{- $_ := set $model "perHost" (div $model.accelerators $model.hosts | int) -}}
  {{- $_ := set $model "claim" (include "hybrid-llm.claim" (dict "model" $model "dra" $given.accelerator.dra) | fromJson | default nil) -}}
  {{- $autoscaling := $given.autoscaling -}}
  {{- $_ := set $model "minReplicas" ($autoscaling.minReplicas | int) -}}
  {{- $_ := set $model "maxReplicas" ($autoscaling.maxReplicas | int) -}}
  {{- $_ := set $model "targetOngoing" (default (max 1 (round (mulf 0.75 $model.maxNumSeqs) 0 | int)) $autoscaling.targetOngoingRequests) -}}
  {{- include "hybrid-llm.reasoning" (dict "given" $given.reasoning "model" $model) -}}
  {{- /* Lanes are the engine's: what waits in front of it, in Serve, is taken first come, first served. */ -}}
  {{- $lanes := $model.reasoning.lanes.enabled -}}
  {{- $_ := set $model "schedulingPolicy" (ternary "priority" $engine.schedulingPolicy $lanes) -}}
  {{- $_ := set $model "maxOngoing" (default (mul (ternary 6 2 $lanes) $model.maxNumSeqs) $autoscaling.maxOngoingRequests | int) -}}
  {{- $_ := set $model "maxQueued" (ternary (mul (ternary 1 4 $lanes) $model.maxNumSeqs) $autoscaling.maxQueuedRequests (kindIs "invalid" $autoscaling.maxQueuedRequests) | int) -}}
  {{- $_ := set $model "autoscaling" $autoscaling -}}
  {{- $_ := set $model "platform" $given.accelerator.platform -}}
  {{- $selectors := get $accelerator.nodeSelectors (default "none" $given.accelerator.platform) | default dict -}}
  {{- $selectors = include "hybrid-llm.slice.labels" (dict "labels" $selectors "model" $model "platform" $given.accelerator.platform) | fromJson -}}
  {{- $_ := set $model "nodeSelector" (default $selectors $given.accelerator.nodeSelector) -}}
  {{- $tolerations := $accelerator.tolerations -}}
  {{- if kindIs "slice" $given.accelerator.tolerations -}}{{- $tolerations = $given.accelerator.tolerations -}}{{- end -}}
  {{- /* Spot nodes: a drain must have ended when the node does. */ -}}
  {{- $drain := .root.Values.serving.drainSeconds | int -}}
  {{- $grace := add $drain 60 | int -}}
  {{- $spot := $given.accelerator.spot -}}
  {{- $spotLabels := dict -}}
  {{- if $spot.enabled -}}
    {{- $notice := default .root.Values.accelerator.spot.noticeSeconds $spot.noticeSeconds | int -}}
    {{- $drain = min $drain (div (mul 3 $notice) 4) | int -}}
    {{- $grace = min $grace $notice | int -}}
    {{- $spotLabels = get (fromYaml (.root.Files.Get "files/spot.yaml")) (default "none" $given.accelerator.platform) -}}
    {{- with $spotLabels -}}
      {{- $tolerations = concat (default list $tolerations) .tolerations -}}
      {{- if not $given.accelerator.nodeSelector -}}
        {{- $_ := set $model "nodeSelector" (merge (dict) $model.nodeSelector .nodeSelector) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- $_ := set $model "spot" $spot.enabled -}}
  {{- $_ := set $model "spotNodes" (or $given.accelerator.nodeSelector $spotLabels) -}}
  {{- $_ := set $model "disk" (include "hybrid-llm.disk" (dict "root" .root "model" $model) | fromJson) -}}
  {{- $_ := set $model "drainSeconds" $drain -}}
  {{- $_ := set $model "graceSeconds" $grace -}}
  {{- $_ := set $model "tolerations" $tolerations -}}
{{- end -}}
{{- end -}}

{{/*
Sets `reasoning` of a model: `parser`, and all else as the Serve config has it, which lacks what it need not
say. (dict "given" values "model" model)
*/}}
{{- define "hybrid-llm.reasoning" -}}
{{- $given := .given -}}
{{- $thinking := .model.spec.thinking -}}
{{- $both := eq $thinking.modes "both" -}}
{{- $reasoning := pick $given "fields" "thinkingDefault" "allowOverride" "lanes" -}}
{{- if kindIs "invalid" $given.thinkingDefault -}}{{- $_ := set $reasoning "thinkingDefault" $thinking.default -}}{{- end -}}
{{- $_ := set $reasoning "native" (omit $thinking "opens") -}}
{{- $_ := set $reasoning "parser" (default .model.spec.reasoningParser $given.parser) -}}
{{- if not $both -}}{{- $_ := set $reasoning "allowOverride" false -}}{{- end -}}
{{- range $field := list "tokenBudget" "maxTokenBudget" -}}
  {{- $tokens := index $given $field -}}
  {{- if not (kindIs "invalid" $tokens) -}}{{- $_ := set $reasoning $field ($tokens | int) -}}{{- end -}}
{{- end -}}
{{- /* Helm drops what is null by default, and what a user sets to null instead of a default. */ -}}
{{- $efforts := dict "minimal" nil "low" nil "medium" nil "high" nil "xhigh" nil "max" nil -}}
{{- $ours := dict "minimal" 256 "low" 1024 "medium" 4096 -}}
{{- /* The table is ours: a model that knows efforts itself, or that nothing bounds, has what a user writes alone. */ -}}
{{- $own := or $thinking.efforts (eq $thinking.budget "none") (eq $thinking.modes "never") -}}
{{- range $effort, $tokens := $given.effortBudgets -}}
  {{- if and $own (eq ($tokens | int) (index $ours $effort | int)) -}}{{- $tokens = index $efforts $effort -}}{{- end -}}
  {{- $most := ternary $reasoning.maxTokenBudget nil (eq ($tokens | int) (index $ours $effort | int)) -}}
  {{- include "hybrid-llm.atMost" (dict "in" $efforts "field" $effort "tokens" $tokens "most" $most) -}}
{{- end -}}
{{- $_ := set $reasoning "effortBudgets" $efforts -}}
{{- /* An always thinking model has no drafts. */ -}}
{{- $preset := get .model.spec "adaptive" | default dict -}}
{{- $adaptive := dict "threshold" (dig "threshold" 0.9 $preset) "draftTokens" (dig "draftTokens" 64 $preset | int) -}}
{{- if $both -}}
  {{- include "hybrid-llm.adaptive" (dict "in" $reasoning "given" $given.adaptive "else" $adaptive) -}}
{{- end -}}
{{- $keys := dict -}}
{{- range $name, $own := $given.keys -}}
  {{- $key := pick $own "thinkingDefault" "allowOverride" -}}
  {{- with $own.adaptive -}}
    {{- $whole := deepCopy $given.adaptive -}}
    {{- range $field, $value := . -}}{{- $_ := set $whole $field $value -}}{{- end -}}{{/* `merge` takes false for nothing. */}}
    {{- include "hybrid-llm.adaptive" (dict "in" $key "given" $whole "else" $adaptive) -}}
  {{- end -}}
  {{- range $field := list "tokenBudget" "maxTokenBudget" -}}
    {{- if hasKey $own $field -}}
      {{- include "hybrid-llm.atMost" (dict "in" $key "field" $field "tokens" (index $own $field) "most" nil) -}}
    {{- end -}}
  {{- end -}}
  {{- $most := index (ternary $key $reasoning (hasKey $key "maxTokenBudget")) "maxTokenBudget" -}}
  {{- $whole := dict -}}
  {{- include "hybrid-llm.atMost" (dict "in" $whole "field" "tokenBudget" "tokens" $reasoning.tokenBudget "most" $most) -}}
  {{- if and (not (hasKey $key "tokenBudget")) (ne $whole.tokenBudget $reasoning.tokenBudget) -}}
    {{- $_ := set $key "tokenBudget" $most -}}
  {{- end -}}
  {{- $table := dict -}}
  {{- range $effort, $tokens := $efforts -}}
    {{- include "hybrid-llm.atMost" (dict "in" $table "field" $effort "tokens" $tokens "most" $most) -}}
  {{- end -}}
  {{- range $effort, $tokens := $own.effortBudgets -}}
    {{- include "hybrid-llm.atMost" (dict "in" $table "field" $effort "tokens" $tokens "most" nil) -}}
  {{- end -}}
  {{- if ne (toJson $table) (toJson $efforts) -}}{{- $_ := set $key "effortBudgets" $table -}}{{- end -}}
  {{- $_ := set $keys $name $key -}}
{{- end -}}
{{- if $keys -}}{{- $_ := set $reasoning "keys" $keys -}}{{- end -}}
{{- /* Of the mode that is not the default too, unless the engine is to have one for both. */ -}}
{{- if and $both (not (hasKey .model.engine.kwargs "override_generation_config")) -}}
  {{- $_ := set $reasoning "sampling" .model.spec.sampling -}}
{{- end -}}
{{- $_ := set .model "reasoning" $reasoning -}}
{{- end -}}

{{/* Sets `adaptive` in a dict as the Serve config has it: without drafts there is no threshold. */}}
{{- define "hybrid-llm.adaptive" -}}
{{- $adaptive := deepCopy .else -}}
{{- if not (kindIs "invalid" .given.threshold) -}}{{- $_ := set $adaptive "threshold" .given.threshold -}}{{- end -}}
{{- if not (kindIs "invalid" .given.draftTokens) -}}{{- $_ := set $adaptive "draftTokens" (.given.draftTokens | int) -}}{{- end -}}
{{- if not .given.enabled -}}{{- $_ := set $adaptive "threshold" nil -}}{{- end -}}
{{- $_ := set .in "adaptive" $adaptive -}}
{{- end -}}

{{/* Sets `field` in a dict to `tokens`, or to `most` where that is less; null is no limit. */}}
{{- define "hybrid-llm.atMost" -}}
{{- if kindIs "invalid" .tokens -}}
  {{- $_ := set .in .field nil -}}
{{- else if or (kindIs "invalid" .most) (le (.tokens | int) (.most | int)) -}}
  {{- $_ := set .in .field (.tokens | int) -}}
{{- else -}}
  {{- $_ := set .in .field (.most | int) -}}
{{- end -}}
{{- end -}}

{{/*
Sets `tensor` and `fit` of a model: the size given, or the fewest accelerators whose KV cache holds two
sequences of full length, so that one long thought does not stop everybody else; failing that, the most
that the hosts have and the model's heads divide among. (dict "given" int-or-nil "model" model)
*/}}
{{- define "hybrid-llm.tensor" -}}
{{- $model := .model -}}
{{- $chosen := dict -}}
{{- if .given -}}
  {{- include "hybrid-llm.fit" (dict "model" $model "tensor" .given "pipeline" $model.pipeline "out" $chosen) -}}
{{- else -}}
  {{- range $size := include "hybrid-llm.tensorSizes" (dict "model" $model "pipeline" $model.pipeline "hosts" $model.hosts) | fromJsonArray -}}
    {{- if lt (dig "fit" "sequences" 0 $chosen | int) 2 -}}
      {{- include "hybrid-llm.fit" (dict "model" $model "tensor" $size "pipeline" $model.pipeline "out" $chosen) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if not $chosen.fit -}}
  {{- include "hybrid-llm.fit" (dict "model" $model "tensor" 1 "pipeline" $model.pipeline "out" $chosen) -}}
{{- end -}}
{{- $_ := set $model "fit" $chosen.fit -}}
{{- $_ := set $model "tensor" $chosen.fit.tensor -}}
{{- end -}}

{{/* The tensor-parallel sizes that the hosts have accelerators for and heads divide by, as JSON. */}}
{{- define "hybrid-llm.tensorSizes" -}}
{{- $model := .model -}}
{{- $sizes := list -}}
{{- range $size := list 1 2 4 8 16 -}}
  {{- $host := le (mul $size $.pipeline | int) (mul $.hosts $model.accelerator.maxPerNode | int) -}}
  {{- $uneven := include "hybrid-llm.kv.uneven" (dict "spec" $model.spec "tensor" $size) | fromJson -}}
  {{- if and $host (not $uneven) -}}{{- $sizes = append $sizes $size -}}{{- end -}}
{{- end -}}
{{- toJson $sizes -}}
{{- end -}}

{{/*
Makes numbers of those that are text, as `--set key=0.5` gives them: Helm reads whole ones alone as numbers. By their
names, which a test compares with the schema's; free maps have names of their own.
*/}}
{{- define "hybrid-llm.numbers" -}}
{{- $names := list "acceleratorHourPrice" "budgetHits" "cut" "downscaleDelaySeconds" "errors" "gpuMemoryUtilization" "patienceSeconds" "preemptions" "sampleRatio" "share" "targetOngoingRequests" "threshold" "upscaleDelaySeconds" -}}
{{- if kindIs "map" . -}}
  {{- range $key, $value := . -}}
    {{- if and (kindIs "string" $value) (has $key $names) -}}
      {{- $_ := set $ $key (float64 $value) -}}
    {{- else if not (has $key (list "kwargs" "overrides" "labels" "alertLabels" "annotations")) -}}
      {{- include "hybrid-llm.numbers" $value -}}
    {{- end -}}
  {{- end -}}
{{- else if kindIs "slice" . -}}
  {{- range . -}}{{- include "hybrid-llm.numbers" . -}}{{- end -}}
{{- end -}}
{{- end -}}
