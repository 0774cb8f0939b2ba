{{/*
The Serve config: spec.serveConfigV2 of the RayService, and by itself a file of serve-configs/.
(dict "root" $ "plan" plan)
*/}}
{{- define "hybrid-llm.serveConfig" -}}
{{- $values := .root.Values -}}
{{- $plan := .plan -}}
applications:
  - name: llm
    route_prefix: /
    import_path: app.serve:build_app
    args:
      llm_configs:
        {{- range $plan.models }}
        - {{- include "hybrid-llm.llmConfig" (dict "values" $values "model" .) | trim | nindent 10 | trimPrefix "\n         " }}
        {{- end }}
      reasoning:
        {{- range $plan.models }}
        {{ .id | quote }}:
          {{- toYaml (omit .reasoning "parser" (ternary "parser" "lanes" .reasoning.lanes.enabled)) | nindent 10 }}
        {{- end }}
      edge:
        cors:
          allowedOrigins: {{ toJson $values.serving.cors.allowedOrigins }}
        requestSeconds: {{ $values.serving.requestSeconds | int }}
        maxStreamInterval: {{ $values.serving.maxStreamInterval | int }}
        {{- with $plan.wakeWaits }}
        wakeWaitSeconds:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        limits:
          {{- range $name, $most := $values.serving.limits }}
          {{ $name }}: {{ $most | int }}
          {{- end }}
      {{- if and (not $plan.direct) $plan.ingressGroup }}
      ingress_deployment_config:
        ray_actor_options:
          resources: {ingress: 0.001} # a pod without accelerators, which can all go
      {{- end }}
    # Serve takes these up in place. A change of `args` would restart every replica, so the chart makes
    # it a change of the pods too, for which KubeRay starts a second cluster.
    deployments:
      {{- range $plan.models }}
      - name: {{ .deployment | quote }}
        {{- include "hybrid-llm.replicas" . | nindent 8 }}
        max_ongoing_requests: {{ .maxOngoing }} # more than that wait for a replica
        max_queued_requests: {{ .maxQueued }} # and more than that get a 503 at once
        graceful_shutdown_timeout_s: {{ $values.serving.drainSeconds | int }}
      {{- end }}
      {{- if not $plan.direct }}
      {{- $ingress := $values.serving.ingress }}
      - name: OpenAiIngress
        max_ongoing_requests: {{ $ingress.maxOngoingRequests | int }}
        autoscaling_config: # also of a fixed number: Ray's own would win, which has none where every model may sleep
          min_replicas: {{ $ingress.minReplicas | int }}
          max_replicas: {{ $ingress.maxReplicas | int }}
          target_ongoing_requests: {{ $ingress.targetOngoingRequests }}
      {{- end }}
{{- end -}}

{{/* How many replicas of a model, as `deployments` has it; LLMConfig has the numbers that stay fixed. */}}
{{- define "hybrid-llm.replicas" -}}
{{- if eq .minReplicas .maxReplicas -}}
num_replicas: {{ .minReplicas }}
{{- else -}}
autoscaling_config:
  min_replicas: {{ .minReplicas }}
  max_replicas: {{ .maxReplicas }}
  target_ongoing_requests: {{ .targetOngoing }}
  upscale_delay_s: {{ .autoscaling.upscaleDelaySeconds }}
  downscale_delay_s: {{ .autoscaling.downscaleDelaySeconds }}
{{- end -}}
{{- end -}}

{{- define "hybrid-llm.llmConfig" -}}
{{- $values := .values -}}
{{- $model := .model -}}
{{- $from := $values.weights.from -}}
model_loading_config:
  model_id: {{ $model.id | quote }}
  {{- if and (eq $from "bucket") (not (hasPrefix "runai_streamer" $values.weights.loadFormat)) }}
  model_source:
    bucket_uri: {{ $model.source | quote }}
  {{- else }}
  model_source: {{ $model.source | quote }}
  {{- end }}
{{- if $model.cpu }}
accelerator_config:
  kind: cpu
{{- else }}
accelerator_type: {{ $model.label | quote }}
placement_group_config:
  {{- if gt $model.hosts 1 }}
  # One for each of the engine's ranks, host by host, by the resource of the worker group. A node has no room for more
  # of them than it should have: tensor parallelism across nodes is slow.
  bundles:
    {{- range $rank := until $model.accelerators }}
    - {CPU: 1, GPU: 1, {{ ternary $model.name (include "hybrid-llm.furtherGroup" $model) (lt $rank $model.perHost) | quote }}: 0.001}
    {{- end }}
  strategy: PACK
  {{- else }}
  bundle_per_worker: {CPU: 1, GPU: 1} # one for each of the engine's ranks
  strategy: STRICT_PACK # on one node: tensor parallelism across nodes is slow
  {{- end }}
{{- end }}
{{- with $model.lora.bucket }}
lora_config:
  dynamic_lora_loading_path: {{ . | quote }}
  max_num_adapters_per_replica: {{ $model.lora.inMemory }}
{{- end }}
deployment_config:
  {{- if eq $model.minReplicas $model.maxReplicas }}
  num_replicas: {{ $model.minReplicas }}
  {{- else }}
  autoscaling_config:
    min_replicas: {{ $model.minReplicas }}
    max_replicas: {{ $model.maxReplicas }}
  {{- end }}
  {{- if $model.cpu }}
  ray_actor_options:
    num_cpus: 2 # so that a worker pod has room for one replica, as one with accelerators has
  {{- end }}
engine_kwargs:
  {{- include "hybrid-llm.engineKwargs" . | nindent 2 }}
{{- $env := deepCopy (default dict $model.accelerator.env) -}}
{{- if ne $from "hub" }}{{ $_ := set $env "HF_HUB_OFFLINE" "1" }}{{ end }}
{{- $_ := set $env "VLLM_NO_USAGE_STATS" "1" }}
{{- /* When a host is lost during a step, vLLM 0.29 waits for its answer so long, 300 s by default, and all who ask with it. */}}
{{- if and (gt $model.hosts 1) (not (hasKey $env "VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS")) }}{{ $_ := set $env "VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS" "60" }}{{ end }}
runtime_env:
  env_vars:
    {{- toYaml $env | nindent 4 }}
{{- end -}}

{{/* vLLM's engine arguments, under its own names. */}}
{{- define "hybrid-llm.engineKwargs" -}}
{{- $values := .values -}}
{{- $model := .model -}}
{{- $engine := $model.engine -}}
{{- $kwargs := dict "max_model_len" $model.maxModelLen "max_num_seqs" $model.maxNumSeqs "dtype" $model.spec.dtype -}}
{{- with $model.reasoning.parser -}}{{- $_ := set $kwargs "reasoning_parser" . -}}{{- end -}}
{{- if not $model.cpu -}}
  {{- $_ := set $kwargs "tensor_parallel_size" $model.tensor -}}
  {{- $_ := set $kwargs "gpu_memory_utilization" $model.engineUtilization -}}
{{- end -}}
{{- if gt $model.pipeline 1 -}}{{- $_ := set $kwargs "pipeline_parallel_size" $model.pipeline -}}{{- end -}}
{{- if ne $engine.kvCacheDtype "auto" -}}{{- $_ := set $kwargs "kv_cache_dtype" $engine.kvCacheDtype -}}{{- end -}}
{{- if ne $model.schedulingPolicy "fcfs" -}}{{- $_ := set $kwargs "scheduling_policy" $model.schedulingPolicy -}}{{- end -}}
{{- if ne $values.weights.loadFormat "auto" -}}{{- $_ := set $kwargs "load_format" $values.weights.loadFormat -}}{{- end -}}
{{- with $model.revision -}}{{- $_ := set $kwargs "revision" . -}}{{- $_ := set $kwargs "tokenizer_revision" . -}}{{- end -}}
{{- if and $engine.toolCalls $model.spec.toolCallParser -}}
  {{- $_ := set $kwargs "enable_auto_tool_choice" true -}}
  {{- $_ := set $kwargs "tool_call_parser" $model.spec.toolCallParser -}}
{{- end -}}
{{- if $model.lora.enabled -}}
  {{- $_ := set $kwargs "enable_lora" true -}}
  {{- $_ := set $kwargs "max_loras" $model.lora.maxLoras -}}
  {{- $_ := set $kwargs "max_cpu_loras" $model.lora.inMemory -}}
  {{- $_ := set $kwargs "max_lora_rank" $model.lora.maxRank -}}
{{- end -}}
{{- range $name, $path := $model.lora.adapters -}}
  {{- $_ := set $kwargs "lora_modules" (append (get $kwargs "lora_modules" | default list) (dict "name" $name "path" $path)) -}}
{{- end -}}
{{- with $values.tracing.endpoint -}}{{- $_ := set $kwargs "otlp_traces_endpoint" . -}}{{- end -}}
{{- /* What the model's card advises for the mode of a request that does not choose one. */ -}}
{{- $mode := ternary "nonThinking" "thinking" (eq ($model.reasoning.thinkingDefault | toString) "false") -}}
{{- with get $model.spec.sampling $mode -}}{{- $_ := set $kwargs "override_generation_config" . -}}{{- end -}}
{{- /* Longer than it was trained for: its positions are scaled as its card says. */ -}}
{{- with $model.spec.longContext -}}
  {{- if gt $model.maxModelLen ($model.spec.maxPositions | int) -}}{{- $_ := set $kwargs "hf_overrides" .hfOverrides -}}{{- end -}}
{{- end -}}
{{- include "hybrid-llm.kwargs" (dict "model" $model "in" $kwargs) -}}
{{- if $engine.maxNumBatchedTokens -}}
  {{- $_ := set $kwargs "max_num_batched_tokens" ($engine.maxNumBatchedTokens | int) -}}
{{- else if $model.slice -}}
  {{- /* vLLM's default goes by the whole GPU's memory. */ -}}
  {{- $_ := set $kwargs "max_num_batched_tokens" $model.fit.batched -}}
{{- else if eq (get $kwargs "enable_chunked_prefill" | toString) "false" -}}
  {{- /* A prompt that is prefilled whole must fit into one step. */ -}}
  {{- $_ := set $kwargs "max_num_batched_tokens" $model.maxModelLen -}}
{{- end -}}
{{- toYaml $kwargs -}}
{{- end -}}
