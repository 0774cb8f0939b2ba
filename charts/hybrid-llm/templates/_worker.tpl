{{/*
A worker group: one pod a replica of its model; or, `further`, the pods of the other hosts that a replica has.
(dict "root" $ "plan" plan "model" model "further" bool)
*/}}
{{- define "hybrid-llm.worker" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $model := .model -}}
{{- $accelerator := $model.accelerator -}}
{{- $further := default false .further -}}
{{- $name := ternary (include "hybrid-llm.furtherGroup" $model) $model.name $further -}}
{{- $pods := ternary (sub $model.hosts 1) 1 $further -}}
{{- $count := max 1 $model.perHost | int -}}
{{- $cpu := mul $count ($accelerator.cpuPerAccelerator | int) -}}
{{- $memory := printf "%dGi" (mul $count ($accelerator.memoryGiBPerAccelerator | int)) -}}
{{- $resources := dict "requests" (dict "cpu" (toString $cpu) "memory" $memory) "limits" (dict "memory" $memory) -}}
{{- /* Whoever sets resources sets this too. */ -}}
{{- $disk := ternary dict $model.disk (not (empty $values.worker.resources)) -}}
{{- range $kind, $field := dict "requests" "request" "limits" "limit" -}}
  {{- with get $disk $field -}}{{- $_ := set (get $resources $kind) "ephemeral-storage" (printf "%dGi" (int .)) -}}{{- end -}}
{{- end -}}
{{- with $values.worker.resources -}}{{- $resources = deepCopy . -}}{{- end -}}
{{- if $model.claim -}}
  {{- $_ := set $resources "claims" (list (dict "name" "accelerators")) -}}
{{- else if $model.perHost -}}
  {{- $limits := default dict $resources.limits -}}
  {{- $_ := set $limits $accelerator.resourceName ($model.perHost | toString) -}}
  {{- $_ := set $resources "limits" $limits -}}
{{- end -}}
groupName: {{ $name | quote }}
{{- if not .plan.autoscaling }}
replicas: {{ mul $pods $model.minReplicas }}
{{- end }}
{{- if .plan.gradual }}
minReplicas: 0 # or a new cluster would start with all of them
{{- else }}
minReplicas: {{ mul $pods $model.minReplicas }}
{{- end }}
maxReplicas: {{ mul $pods $model.maxReplicas }}
scaleStrategy: {} # as the operator writes it, or the list would be its own, and `helm upgrade` in conflict with it
rayStartParams:
  object-store-memory: "200000000" # bytes; nothing large goes through it
{{- /* Logical: Ray counts one for each rank, one for the engine's server and one for an ingress. */}}
resources:
  CPU: {{ max $cpu (add $count 3) | quote }}
  {{- if and $model.perHost (or $model.claim (not (hasSuffix "gpu" $accelerator.resourceName))) }}
  GPU: {{ $model.perHost | quote }} # Ray's autoscaler counts those alone whose name ends with gpu
  {{- end }}
  {{- if $model.label }}
  # Ray finds it out on a node that is there; of one that is not there yet the autoscaler would not know.
  {{ printf "accelerator_type:%s" $model.label | quote }}: "1"
  {{- end }}
  {{- if gt $model.hosts 1 }}
  {{ $name | quote }}: "1" # by which a replica finds its hosts: Serve runs on the first one
  {{- end }}
{{- include "hybrid-llm.workerTemplate" (dict "root" $root "plan" .plan "component" (ternary "host" "worker" $further) "claim" (ternary (include "hybrid-llm.claimName" $model) "" (not (empty $model.claim))) "resources" $resources "cacheGiB" $disk.cache "nodeSelector" $model.nodeSelector "tolerations" $model.tolerations "drainSeconds" $model.drainSeconds "graceSeconds" $model.graceSeconds "sharedMemory" (printf "%dGi" ($accelerator.sharedMemoryGiB | int)) "runtimeClassName" $values.worker.runtimeClassName) | nindent 0 }}
{{- end -}}

{{/* The name of the worker group of a model's further hosts. */}}
{{- define "hybrid-llm.furtherGroup" -}}
{{- printf "%s-hosts" .name -}}
{{- end -}}

{{/* Pods for Ray's ingress alone, where all accelerators may go. */}}
{{- define "hybrid-llm.ingressWorker" -}}
groupName: ingress
minReplicas: 1
maxReplicas: {{ max 1 (.root.Values.serving.ingress.maxReplicas | int) }}
scaleStrategy: {}
rayStartParams:
  object-store-memory: "200000000"
resources:
  CPU: "2"
  ingress: "1" # what alone asks for these pods
{{- include "hybrid-llm.workerTemplate" (dict "root" .root "plan" .plan "component" "ingress" "resources" .root.Values.serving.ingress.resources "nodeSelector" .root.Values.head.nodeSelector "tolerations" .root.Values.head.tolerations "drainSeconds" .root.Values.serving.drainSeconds "graceSeconds" (add .root.Values.serving.drainSeconds 60) "sharedMemory" "1Gi" "runtimeClassName" "") | nindent 0 }}
{{- end -}}

{{- define "hybrid-llm.workerTemplate" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
template:
  metadata:
    {{- include "hybrid-llm.podMetadata" (dict "root" $root "plan" .plan "component" .component "labels" $values.worker.podLabels "annotations" $values.worker.podAnnotations) | nindent 4 }}
  spec:
    serviceAccountName: {{ include "hybrid-llm.serviceAccountName" $root | quote }}
    automountServiceAccountToken: false
    enableServiceLinks: false
    terminationGracePeriodSeconds: {{ .graceSeconds }} # the drain, then its processes stop
    {{- with include "hybrid-llm.pullSecrets" $root }}
    {{- . | nindent 4 }}
    {{- end }}
    securityContext:
      {{- toYaml $values.podSecurityContext | nindent 6 }}
    {{- with .nodeSelector }}
    nodeSelector:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .tolerations }}
    tolerations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.worker.affinity }}
    affinity:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.worker.topologySpreadConstraints }}
    topologySpreadConstraints:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.worker.priorityClassName }}
    priorityClassName: {{ . | quote }}
    {{- end }}
    {{- with .runtimeClassName }}
    runtimeClassName: {{ . | quote }}
    {{- end }}
    {{- with .claim }}
    resourceClaims:
      - {name: accelerators, resourceClaimTemplateName: {{ printf "%s%s" (include "hybrid-llm.fullname" $root) . | quote }}}
    {{- end }}
    {{- with include "hybrid-llm.podOptions" (dict "root" $root "of" $values.worker) | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    containers:
      - name: ray-worker
        image: {{ include "hybrid-llm.image" $root | quote }}
        imagePullPolicy: {{ $values.image.pullPolicy }}
        securityContext:
          {{- toYaml $values.containerSecurityContext | nindent 10 }}
        ports:
          - {name: metrics, containerPort: 8080}
          {{- if and .plan.direct (ne .component "host") }}
          - {name: haproxy, containerPort: 9101} # its metrics
          {{- end }}
          - {name: serve, containerPort: 8000}
        env:
          {{- include "hybrid-llm.env" . | nindent 10 }}
        resources:
          {{- toYaml .resources | nindent 10 }}
        {{- with include "hybrid-llm.containerOptions" (dict "root" $root "of" $values.worker) | trim }}
        {{- . | nindent 8 }}
        {{- end }}
        volumeMounts:
          {{- include "hybrid-llm.volumeMounts" $root | nindent 10 }}
          {{- if $values.weights.cache.enabled }}
          - {name: hub, mountPath: /cache/huggingface}
          {{- end }}
          {{- if has $values.weights.from (list "claim" "image") }}
          - {name: weights, mountPath: /weights, readOnly: true}
          {{- end }}
          {{- with $values.worker.volumeMounts }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
      {{- with $values.worker.sidecars }}
      {{- include "hybrid-llm.ownContainers" (dict "root" $root "containers" .) | nindent 6 }}
      {{- end }}
    volumes:
      {{- include "hybrid-llm.volumes" (dict "root" $root "sharedMemory" .sharedMemory "cacheGiB" .cacheGiB) | nindent 6 }}
      {{- if $values.weights.cache.enabled }}
      - name: hub
        persistentVolumeClaim: {claimName: {{ include "hybrid-llm.cacheClaim" $root | quote }}}
      {{- end }}
      {{- if eq $values.weights.from "claim" }}
      - name: weights
        persistentVolumeClaim: {claimName: {{ $values.weights.claim.name | quote }}, readOnly: true}
      {{- else if eq $values.weights.from "image" }}
      - name: weights
        image: {reference: {{ $values.weights.image.reference | quote }}, pullPolicy: {{ $values.weights.image.pullPolicy }}}
      {{- end }}
      {{- with $values.worker.volumes }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
{{- end -}}
