{{/*
Does the model fit? All sizes are of one accelerator, in GiB.

vLLM may take (memory - what the driver keeps) x gpu_memory_utilization. It loads the weights, runs a
step of max_num_batched_tokens to see what that needs, sets the CUDA graphs' memory aside, and gives the
KV cache what is left (vLLM 0.29: vllm/v1/worker/gpu_worker.py, determine_available_memory). It does not
start unless the cache holds one sequence of max_model_len (vllm/v1/core/kv_cache_utils.py,
check_enough_kv_cache_memory).

  driver    0.9 GiB: the part of nvidia-smi's memory.total that CUDA does not get, and a context
  weights   weightBytes / (tensor x pipeline)
  KV cache  a token: 2 (K and V) x layers/pipeline x kvHeads/tensor x headSize x bytes, in blocks of 16
            tokens (vllm/v1/kv_cache_interface.py, FullAttentionSpec.page_size_bytes)
  step      max_num_batched_tokens x 2 bytes x (3 hidden + 3 intermediate/tensor + hidden x active experts)
  sampler   max_num_seqs x vocabulary x 32 bytes
  graphs    0.25 MiB x layers/pipeline x number of graphs (vllm/config/vllm.py, _set_cudagraph_sizes)
  rest      0.5 GiB

Driver, step, sampler, graphs and rest are estimates, on the safe side of public start-up logs; the KV
cache is exact (tests/chart/test_fit.py asks vLLM).

Sets `fit` in `out`. (dict "model" model "tensor" int "pipeline" int "out" dict)
*/}}
{{- define "hybrid-llm.fit" -}}
{{- $model := .model -}}
{{- $spec := $model.spec -}}
{{- $accelerator := $model.accelerator -}}
{{- $gib := 1073741824.0 -}}
{{- $tensor := .tensor | int -}}
{{- $layers := ceil (divf $spec.layers .pipeline) -}}
{{- $weights := divf $spec.weightBytes (mulf $tensor .pipeline $gib) -}}

{{- $bytes := ternary 2 1 (eq $model.kvCacheDtype "auto") -}}
{{- $token := mulf 2 $layers (divf $spec.kvHeads $tensor) $spec.headSize $bytes -}}
{{- $blocks := ceil (divf $model.maxModelLen 16) -}}
{{- $sequence := divf (mulf $blocks 16 $token) $gib -}}

{{- $memory := $accelerator.memoryMiB | int -}}
{{- $isA100 := eq $accelerator.label "A100" -}}
{{- $batched := ternary 16384 (ternary 8192 2048 (and (ge $memory 71680) (not $isA100))) (ge $memory 163840) -}}{{- /* vllm/engine/arg_utils.py */ -}}
{{- if eq (get $model.engine.kwargs "enable_chunked_prefill" | toString) "false" -}}
  {{- $batched = max $batched $model.maxModelLen -}}{{- /* a prompt that is prefilled whole is one step */ -}}
{{- end -}}
{{- $batched = default $batched $model.engine.maxNumBatchedTokens -}}
{{- $width := addf (mulf 3 $spec.hiddenSize) (divf (mulf 3 $spec.intermediateSize) $tensor) (mulf $spec.hiddenSize (default 0 $spec.activeExperts)) -}}
{{- $step := divf (mulf $batched 2 $width) $gib -}}
{{- $sampler := divf (mulf $model.maxNumSeqs $spec.vocabSize 32) $gib -}}
{{- $seqs := $model.maxNumSeqs | int -}}
{{- $graphs := addf 6 (divf (min (mul 2 $seqs) 256) 8) (divf (max 0 (sub (min (mul 2 $seqs) 512) 256)) 16) (divf (min $seqs 256) 8) (divf (max 0 (sub (min $seqs 512) 256)) 16) -}}
{{- if get $model.engine.kwargs "enforce_eager" -}}{{- $graphs = 0.0 -}}{{- end -}}
{{- $overhead := addf 0.5 $step $sampler (divf (mulf 0.25 $layers $graphs) 1024) -}}

{{- $budget := mulf (subf (divf $memory 1024) 0.9) $model.gpuMemoryUtilization -}}
{{- $left := maxf 0 (subf $budget $weights $overhead) -}}
{{- if $model.cpu -}}{{- $left = $model.cpuCacheGiB -}}{{- end -}}
{{- $_ := set .out "fit" (dict "tensor" $tensor "pipeline" (.pipeline | int) "batched" ($batched | int) "weights" $weights "sequence" $sequence "overhead" $overhead "budget" $budget "left" $left "sequences" (floor (divf $left $sequence) | int) "tokens" (floor (mulf (divf $left $sequence) $model.maxModelLen) | int)) -}}
{{- end -}}
