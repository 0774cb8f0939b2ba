{{/* The pod that downloads the weights of all models. */}}
{{- define "hybrid-llm.downloadPod" -}}
{{- $plan := dict -}}
{{- include "hybrid-llm.plan" (dict "root" . "out" $plan) -}}
{{- $commands := list -}}
{{- range $plan.models -}}
  {{- $commands = append $commands (printf "snapshot_download(%s%s)" (.source | toJson) (ternary (printf ", revision=%s" (.revision | toJson)) "" (ne .revision ""))) -}}
{{- end -}}
{{- $cache := .Values.weights.cache -}}
metadata:
  labels:
    {{- include "hybrid-llm.selectorLabels" . | nindent 4 }}
    app.kubernetes.io/component: download
    {{- with .Values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  restartPolicy: OnFailure
  serviceAccountName: {{ include "hybrid-llm.serviceAccountName" . | quote }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with include "hybrid-llm.pullSecrets" . }}
  {{- . | nindent 2 }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with $cache.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $cache.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $cache.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  containers:
    - name: download
      image: {{ include "hybrid-llm.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      command: [python, -c, {{ printf "from huggingface_hub import snapshot_download; %s" (join "; " $commands) | quote }}]
      securityContext:
        {{- toYaml .Values.containerSecurityContext | nindent 8 }}
      env:
        - {name: HOME, value: /cache}
        - {name: HF_HOME, value: /cache/huggingface}
        - name: HF_TOKEN
          valueFrom:
            secretKeyRef: {name: {{ .Values.huggingFace.existingSecret | quote }}, key: {{ .Values.huggingFace.key | quote }}, optional: true}
        {{- with .Values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .Values.envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      resources:
        requests: {cpu: "1", memory: 2Gi}
        limits: {memory: 4Gi}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        - {name: cache, mountPath: /cache}
        - {name: hub, mountPath: /cache/huggingface}
  volumes:
    - {name: tmp, emptyDir: {}}
    - {name: cache, emptyDir: {}}
    - name: hub
      persistentVolumeClaim: {claimName: {{ include "hybrid-llm.cacheClaim" . | quote }}}
{{- end -}}
