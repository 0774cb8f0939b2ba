{{/* What head and worker pods have in common. */}}

{{- define "hybrid-llm.podMetadata" -}}
{{- $root := .root -}}
labels:
  {{- include "hybrid-llm.selectorLabels" $root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
  {{- with include "hybrid-llm.joined" (list $root.Values.commonLabels .labels) }}
  {{- . | nindent 2 }}
  {{- end }}
annotations:
  # A change of either becomes a change of the pods, which KubeRay rolls out by a second cluster.
  hybrid-llm/args-checksum: {{ .plan.fixedChecksum }}
  hybrid-llm/app-checksum: {{ include "hybrid-llm.appChecksum" $root }}
  {{- with merge (dict) .annotations $root.Values.commonAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/*
The files of a program by their folder, for one ConfigMap each: `kubectl apply` writes an object into an annotation of its
own, which may have 256 KiB. Whatever a file is called, it is carried. (dict "root" $ "of" "app")
*/}}
{{- define "hybrid-llm.folders" -}}
{{- $folders := dict -}}
{{- range $path, $_ := .root.Files.Glob (print .of "/**.py") -}}
  {{- $folder := dir $path | trimPrefix $.of | replace "/" "-" -}}
  {{- $_ := set $folders $folder (append (default list (get $folders $folder)) $path) -}}
{{- end -}}
{{- toYaml $folders -}}
{{- end -}}

{{/* (dict "root" $ "paths" those of one folder) */}}
{{- define "hybrid-llm.appData" -}}
{{- range .paths }}
{{ base . }}: |
  {{- $.root.Files.Get . | trim | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "hybrid-llm.appChecksum" -}}
{{- $all := dict -}}
{{- range $path, $_ := .Files.Glob "app/**.py" -}}{{- $_ := set $all $path ($.Files.Get $path) -}}{{- end -}}
{{- toJson $all | sha256sum | trunc 16 -}}
{{- end -}}

{{/* The volume that has the token of the API server, for the one container that needs it. */}}
{{- define "hybrid-llm.apiServerToken" -}}
- name: api-server-token
  projected:
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3607}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end -}}

{{/* (dict "root" $ "plan" plan "drainSeconds" how long Ray lets the node finish its answers) */}}
{{- define "hybrid-llm.env" -}}
{{- $values := .root.Values -}}
{{- $plan := .plan -}}
- {name: PYTHONPATH, value: /opt/hybrid-llm}
- {name: HOME, value: /cache} # the image's own is read-only
- {name: HF_HOME, value: /cache/huggingface}
{{- if $values.weights.cache.enabled }}
- {name: VLLM_CACHE_ROOT, value: /cache/huggingface/vllm} # in the same volume: what torch.compile has made
{{- end }}
{{- if eq $values.weights.from "hub" }}
- name: HF_TOKEN
  valueFrom:
    secretKeyRef: {name: {{ $values.huggingFace.existingSecret | quote }}, key: {{ $values.huggingFace.key | quote }}, optional: true}
{{- else }}
- {name: HF_HUB_OFFLINE, value: "1"}
{{- end }}
- {name: HYBRID_LLM_AUTH, value: {{ ternary "on" "off" $values.auth.enabled | quote }}}
{{- if $values.auth.enabled }}
- {name: HYBRID_LLM_API_KEYS_DIR, value: /etc/hybrid-llm/api-keys}
- {name: HYBRID_LLM_API_KEYS_SECRET, value: {{ include "hybrid-llm.keysSecret" .root | quote }}}
{{- end }}
- {name: HYBRID_LLM_MAX_BODY_BYTES, value: {{ $values.serving.maxBodyBytes | int | quote }}}
- {name: RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S, value: {{ .drainSeconds | int | quote }}}
{{- if $plan.direct }}
- {name: RAY_SERVE_ENABLE_HA_PROXY, value: "1"}
- {name: RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING, value: "1"}
- {name: RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD, value: "0"} # each chunk would change threads
# A request whose answer has not begun goes to another replica when its own dies; asking a model twice does no harm.
# HAProxy can send a request again only if it was whole when it was sent the first time, so it waits for that, and
# not for ever. Ray writes the value into HAProxy's defaults as it is: a further line is a further setting.
- name: RAY_SERVE_HAPROXY_RETRY_ON
  value: |-
    conn-failure empty-response 500
        option http-buffer-request
        timeout http-request {{ $values.serving.requestSeconds | int }}s
        http-error status 408 content-type application/json string "{{ include "hybrid-llm.tooSlow" $values | replace "\"" "\\\"" }}"
- {name: RAY_SERVE_HAPROXY_TUNE_BUFSIZE, value: "65536"} # bytes of a request that can be sent again
# A client's silence in what is too large to wait for; a little later than the application's own 408.
- {name: RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S, value: {{ add ($values.serving.requestSeconds | int) 5 | quote }}}
# A new list of replicas is a new HAProxy, and the old one goes when its connections have. One that a gateway keeps open
# for its next request may have one as long as 90 s after an answer that began before, and that takes its time too.
- {name: RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S, value: {{ add (mul 2 ($values.serving.drainSeconds | int)) 90 | quote }}}
{{- end }}
{{- if $values.requestLog.enabled }}
- {name: HYBRID_LLM_REQUEST_LOG, value: /proc/1/fd/1} # Ray keeps its workers' own output in files
{{- end }}
{{- with $values.tracing }}
{{- if .endpoint }}
- {name: RAY_SERVE_TRACING_EXPORTER_IMPORT_PATH, value: "app.tracing:span_processors"}
- {name: RAY_SERVE_TRACING_SAMPLING_RATIO, value: {{ .sampleRatio | quote }}}
- {name: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, value: {{ .endpoint | quote }}}
- {name: OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, value: {{ .protocol | quote }}}
- {name: OTEL_SERVICE_NAME, value: {{ include "hybrid-llm.fullname" $.root | quote }}}
{{- end }}
{{- end }}
- {name: RAYLLM_ENABLE_REQUEST_PROMPT_LOGS, value: "0"} # prompts are the clients' own
- {name: RAY_USAGE_STATS_ENABLED, value: "0"}
{{- with $values.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* What HAProxy says to a client that is too slow, as both OpenAI's and Anthropic's clients read it. */ -}}
{{- define "hybrid-llm.tooSlow" -}}
{"type": "error", "error": {"message": "The request did not arrive within {{ .serving.requestSeconds | int }} seconds.", "type": "timeout_error", "param": null, "code": "request_timeout"}}
{{- end -}}

{{- define "hybrid-llm.volumeMounts" -}}
- {name: app, mountPath: /opt/hybrid-llm/app, readOnly: true}
{{- if .Values.auth.enabled }}
- {name: api-keys, mountPath: /etc/hybrid-llm/api-keys, readOnly: true}
{{- end }}
- {name: tmp, mountPath: /tmp}
- {name: cache, mountPath: /cache}
- {name: shared-memory, mountPath: /dev/shm}
{{- end -}}

{{/* (dict "root" $ "sharedMemory" "16Gi" "cacheGiB" the most in HOME, or nothing "outlivesApp" whether pods may start when the ConfigMaps are gone) */}}
{{- define "hybrid-llm.volumes" -}}
{{- $values := .root.Values -}}
- name: app
  projected:
    sources:
      {{- range $folder, $paths := include "hybrid-llm.folders" (dict "root" .root "of" "app") | fromYaml }}
      - configMap:
          name: {{ include "hybrid-llm.fullname" $.root }}-app{{ $folder }}
          {{- if $.outlivesApp }}
          optional: true
          {{- end }}
          items:
            {{- range $paths }}
            - {key: {{ base . }}, path: {{ trimPrefix "app/" . }}}
            {{- end }}
      {{- end }}
{{- if $values.auth.enabled }}
- name: api-keys
  secret:
    secretName: {{ include "hybrid-llm.keysSecret" .root | quote }}
    optional: true # until it is there, every request gets a 401 that says so; then no restart is needed
{{- end }}
- {name: tmp, emptyDir: {}}
- name: cache
  emptyDir: { {{- with .cacheGiB }}sizeLimit: {{ int . }}Gi{{ end -}} }
- name: shared-memory
  emptyDir: {medium: Memory, sizeLimit: {{ .sharedMemory }}}
{{- end -}}
