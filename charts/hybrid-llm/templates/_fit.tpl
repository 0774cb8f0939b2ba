{{/*
Does the model fit? All sizes are of one accelerator, in GiB.

vLLM may take (memory - what the driver keeps) x gpu_memory_utilization. It loads the weights, runs a
step of max_num_batched_tokens to see what that needs, sets the CUDA graphs' memory aside, and gives the
KV cache what is left (vLLM 0.29: vllm/v1/worker/gpu_worker.py, determine_available_memory). It does not
start unless the cache holds one sequence of max_model_len beside the one block that it keeps for itself
(vllm/v1/core/kv_cache_utils.py, get_kv_cache_configs).

  driver    0.9 GiB: the part of nvidia-smi's memory.total that CUDA does not get, and a context
  weights   weightBytes / (tensor x pipeline), and what of attention every rank has whole: heads of K and V
            that are fewer than ranks, projections into latents
  KV cache  _kv.tpl. Where all layers keep K and V, a token takes 2 x layers/pipeline x kvHeads/tensor x
            headSize x bytes
  step      max_num_batched_tokens x 2 bytes x (3 hidden + 3 intermediate/tensor + hidden x active experts)
  adapters  lora.maxLoras x lora.maxRank x 2 bytes x what goes in and out of each matrix of a layer
            (vllm/lora/layers: A of a split matrix every rank has whole)
  sampler   max_num_seqs x vocabulary x 32 bytes
  graphs    0.25 MiB x layers/pipeline x number of graphs (vllm/config/vllm.py, _set_cudagraph_sizes)
  rest      0.5 GiB

Driver, step, adapters, sampler, graphs and rest are estimates, on the safe side of public start-up logs; the KV
cache is exact (tests/chart/test_kv.py asks vLLM).

Sets `fit` in `out`. (dict "model" model "tensor" int "pipeline" int "out" dict)
*/}}
{{- define "hybrid-llm.fit" -}}
{{- $model := .model -}}
{{- $spec := $model.spec -}}
{{- $accelerator := $model.accelerator -}}
{{- $gib := 1073741824.0 -}}
{{- $tensor := .tensor | int -}}
{{- $layers := ceil (divf $spec.layers .pipeline) -}}
{{- $kwargs := dict -}}
{{- include "hybrid-llm.kwargs" (dict "model" $model "in" $kwargs) -}}

{{- $memory := $accelerator.memoryMiB | int -}}
{{- $isA100 := eq $accelerator.label "A100" -}}
{{- $batched := ternary 16384 (ternary 8192 2048 (and (ge $memory 71680) (not $isA100))) (ge $memory 163840) -}}{{- /* vllm/engine/arg_utils.py */ -}}
{{- if eq (get $kwargs "enable_chunked_prefill" | toString) "false" -}}
  {{- $batched = max $batched $model.maxModelLen -}}{{- /* a prompt that is prefilled whole is one step */ -}}
{{- end -}}
{{- $batched = default $batched $model.engine.maxNumBatchedTokens -}}

{{- $out := dict -}}
{{- include "hybrid-llm.kv" (dict "model" $model "kwargs" $kwargs "tensor" $tensor "pipeline" .pipeline "batched" $batched "out" $out) -}}
{{- $sequence := divf $out.kv.sequence $gib -}}
{{- $block := divf $out.kv.block $gib -}}
{{- $replicated := divf (mulf $out.kv.replicated $spec.weightBytes) (mulf $spec.parameters .pipeline) -}}
{{- $weights := divf (addf (divf $spec.weightBytes (mulf $tensor .pipeline)) $replicated) $gib -}}

{{- $width := addf (mulf 3 $spec.hiddenSize) (divf (mulf 3 $spec.intermediateSize) $tensor) (mulf $spec.hiddenSize (default 0 $spec.activeExperts)) -}}
{{- $step := divf (mulf $batched 2 $width) $gib -}}
{{- $sampler := divf (mulf $model.maxNumSeqs $spec.vocabSize 32) $gib -}}
{{- $seqs := $model.maxNumSeqs | int -}}
{{- $captured := default (min (mul 2 $seqs) 512) (get $kwargs "max_cudagraph_capture_size") | int -}}
{{- $graphs := addf 6 (divf (min $captured 256) 8) (divf (max 0 (sub $captured 256)) 16) (divf (min $seqs 256) 8) (divf (max 0 (sub (min $seqs 512) 256)) 16) -}}
{{- if get $kwargs "enforce_eager" -}}{{- $graphs = 0.0 -}}{{- end -}}
{{- $adapters := 0.0 -}}
{{- if $model.lora.enabled -}}
  {{- $heads := mulf $spec.headSize (addf $spec.attentionHeads $spec.kvHeads) -}}
  {{- $wide := divf (mulf $spec.intermediateSize (default 1 $spec.experts)) (default 1 $spec.activeExperts) -}}
  {{- $ends := addf (mulf 7 $spec.hiddenSize) (divf (addf (mulf 2 $heads) (mulf 3 $wide)) $tensor) -}}
  {{- $adapters = divf (mulf $model.lora.maxLoras $model.lora.maxRank 2 $layers $ends) $gib -}}
{{- end -}}
{{- $overhead := addf 0.5 $step $adapters $sampler (divf (mulf 0.25 $layers $graphs) 1024) -}}

{{- $budget := mulf (subf (divf $memory 1024) 0.9) $model.gpuMemoryUtilization -}}
{{- $left := maxf 0 (subf $budget $weights $overhead) -}}
{{- if $model.cpu -}}{{- $left = $model.cpuCacheGiB -}}{{- end -}}
{{- $_ := set .out "fit" (dict "tensor" $tensor "pipeline" (.pipeline | int) "batched" ($batched | int) "kwargs" $kwargs "weights" $weights "sequence" $sequence "block" $block "token" (divf $out.kv.token $gib) "overhead" $overhead "budget" $budget "left" $left "sequences" (floor (divf (maxf 0 (subf $left $block)) $sequence) | int) "tokens" (floor (mulf (divf $left $sequence) $model.maxModelLen) | int)) -}}
{{- end -}}

{{/*
Sets in a dict the engine arguments that presets and values name, the values' over the others. vLLM caches prefixes of
a model with a state per sequence by chunks alone. (dict "model" model "in" dict)
*/}}
{{- define "hybrid-llm.kwargs" -}}
{{- $kwargs := .in -}}
{{- range $more := list .model.spec.engineKwargs .model.accelerator.engineKwargs .model.engine.kwargs -}}
  {{- range $key, $value := $more -}}{{- $_ := set $kwargs $key $value -}}{{- end -}}
{{- end -}}
{{- range default list .model.spec.attention -}}
  {{- if and (hasKey . "state") (eq (get $kwargs "enable_chunked_prefill" | toString) "false") (not (hasKey $kwargs "enable_prefix_caching")) -}}
    {{- $_ := set $kwargs "enable_prefix_caching" false -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* The longest sequence, in thousands of tokens, of which one fits; nothing where none does. (dict "model" model) */}}
{{- define "hybrid-llm.longest" -}}
{{- $model := .model -}}
{{- $fits := 0 -}}
{{- $not := div (add $model.maxModelLen 1023) 1024 -}}
{{- range until 24 -}}
  {{- $middle := div (add $fits $not) 2 -}}
  {{- if gt $middle $fits -}}
    {{- $out := dict -}}
    {{- $shorter := set (omit $model "maxModelLen") "maxModelLen" (mul 1024 $middle | int) -}}
    {{- include "hybrid-llm.fit" (dict "model" $shorter "tensor" $model.tensor "pipeline" $model.pipeline "out" $out) -}}
    {{- if ge $out.fit.sequences 1 -}}{{- $fits = $middle -}}{{- else -}}{{- $not = $middle -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- if $fits -}}{{- mul 1024 $fits -}}{{- end -}}
{{- end -}}
