{{/*
What a worker pod may write to its node's disk, as JSON: {request, limit, cache} in GiB, `cache` being the volume that
has HF_HOME. Nothing where no weights are downloaded into the pod: they are in a volume, an image or a bucket that
vLLM streams from, or random. (dict "root" $ "model" model)

  request = weights + 10: caches of torch.compile, Triton and FlashInfer (HOME is on the same volume), and logs
  cache   = weights + 25: the same caches at their largest, and what the hub's client keeps for a while
  limit   = weights + 50: beside `cache`, /tmp, where Ray rotates the logs of a process at 6 x 512 MiB, and container logs

The limits are far off on purpose: a pod above one is evicted, and would download everything again.
*/}}
{{- define "hybrid-llm.disk" -}}
{{- $weights := .root.Values.weights -}}
{{- $streamed := or (hasPrefix "runai_streamer" $weights.loadFormat) (eq $weights.loadFormat "dummy") -}}
{{- $downloaded := and (has $weights.from (list "hub" "bucket")) (not $weights.cache.enabled) (not $streamed) -}}
{{- $disk := dict -}}
{{- if $downloaded -}}
  {{- $size := divf .model.spec.weightBytes 1073741824 | ceil | int -}}
  {{- $_ := set $disk "request" (add $size 10) -}}
  {{- /* A model that drafts for this one is downloaded too, and nobody has said how large it is. */ -}}
  {{- if not (hasKey .model.engine.kwargs "speculative_config") -}}
    {{- $_ := set $disk "limit" (add $size 50) -}}
    {{- $_ := set $disk "cache" (add $size 25) -}}
  {{- end -}}
{{- end -}}
{{- toJson $disk -}}
{{- end -}}
