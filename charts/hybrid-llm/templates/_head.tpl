{{/* The head: Ray's control plane and Serve's controller; no model and no ingress runs there. */}}
{{- define "hybrid-llm.head" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
rayStartParams:
  num-cpus: "0"
  object-store-memory: "200000000" # bytes; nothing large goes through it
template:
  metadata:
    {{- include "hybrid-llm.podMetadata" (dict "root" $root "plan" .plan "component" "head" "labels" $values.head.podLabels "annotations" $values.head.podAnnotations) | nindent 4 }}
  spec:
    automountServiceAccountToken: false
    enableServiceLinks: false
    terminationGracePeriodSeconds: 30
    {{- with include "hybrid-llm.pullSecrets" $root }}
    {{- . | nindent 4 }}
    {{- end }}
    securityContext:
      {{- toYaml $values.podSecurityContext | nindent 6 }}
    {{- with $values.head.nodeSelector }}
    nodeSelector:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.head.tolerations }}
    tolerations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.head.affinity }}
    affinity:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.head.priorityClassName }}
    priorityClassName: {{ . | quote }}
    {{- end }}
    {{- with include "hybrid-llm.podOptions" (dict "root" $root "of" $values.head) | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    containers:
      - name: ray-head
        image: {{ include "hybrid-llm.image" $root | quote }}
        imagePullPolicy: {{ $values.image.pullPolicy }}
        securityContext:
          {{- toYaml $values.containerSecurityContext | nindent 10 }}
        ports:
          - {name: gcs-server, containerPort: 6379}
          - {name: dashboard, containerPort: 8265}
          - {name: client, containerPort: 10001}
          - {name: metrics, containerPort: 8080}
          {{- if .plan.direct }}
          - {name: haproxy, containerPort: 9101} # its metrics
          {{- end }}
          - {name: serve, containerPort: 8000}
        env:
          {{- /* It answers nothing, and Ray would drain it until the time is up: its controller never goes. */}}
          {{- include "hybrid-llm.env" (merge (dict "drainSeconds" 0) .) | nindent 10 }}
        resources:
          {{- toYaml $values.head.resources | nindent 10 }}
        {{- with include "hybrid-llm.containerOptions" (dict "root" $root "of" $values.head) | trim }}
        {{- . | nindent 8 }}
        {{- end }}
        volumeMounts:
          {{- include "hybrid-llm.volumeMounts" $root | nindent 10 }}
          {{- with $values.head.volumeMounts }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
      {{- with $values.head.sidecars }}
      {{- include "hybrid-llm.ownContainers" (dict "root" $root "containers" .) | nindent 6 }}
      {{- end }}
    volumes:
      {{- /* At the end KubeRay empties Redis by a Job made of this very pod, when Helm has removed the ConfigMap. */}}
      {{- include "hybrid-llm.volumes" (dict "root" $root "sharedMemory" "1Gi" "outlivesApp" $values.ray.gcs.redisAddress) | nindent 6 }}
      {{- if .plan.autoscaling }}
      {{- include "hybrid-llm.apiServerToken" . | nindent 6 }}
      {{- end }}
      {{- with $values.head.volumes }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
{{- end -}}
