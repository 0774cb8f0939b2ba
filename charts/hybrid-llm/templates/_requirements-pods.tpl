{{/* What users may add to head and workers. (dict "root" $ "plan" plan) */}}
{{- define "hybrid-llm.requirements.pods" -}}
{{- $plan := .plan -}}
{{- $values := .root.Values -}}
{{- range $where, $labels := dict "commonLabels" $values.commonLabels "head.podLabels" $values.head.podLabels "worker.podLabels" $values.worker.podLabels -}}
  {{- range $key, $_ := $labels -}}
    {{- if or (hasPrefix "app.kubernetes.io/" $key) (hasPrefix "ray.io/" $key) (hasPrefix "helm.sh/" $key) -}}
      {{- include "hybrid-llm.problem" (list $plan (printf "%s.%s" $where $key) "" "selectors and KubeRay depend on it" "choose a label of your own") -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- range $part, $own := dict "head" $values.head "worker" $values.worker -}}
  {{- include "hybrid-llm.requirements.volumes" (dict "values" $values "plan" $plan "part" $part "own" $own) -}}
  {{- include "hybrid-llm.requirements.containers" (dict "plan" $plan "part" $part "own" $own) -}}
{{- end -}}
{{- if $values.worker.lifecycle.preStop -}}
  {{- include "hybrid-llm.problem" (list $plan "worker.lifecycle.preStop" "" "Ray finishes the answers in flight when it gets SIGTERM, which comes after the hook, and the hook takes its time" "leave it out; serving.drainSeconds says how long answers have") -}}
{{- end -}}
{{- if and (eq $values.dnsPolicy "None") (not $values.dnsConfig.nameservers) -}}
  {{- include "hybrid-llm.problem" (list $plan "dnsPolicy" "None" "the pods would have no name server" "name it in dnsConfig.nameservers") -}}
{{- end -}}
{{- end -}}

{{/* (dict "values" "plan" "part" head or worker "own" its values) */}}
{{- define "hybrid-llm.requirements.volumes" -}}
{{- $plan := .plan -}}
{{- $part := .part -}}
{{- $chart := list "app" "api-keys" "tmp" "cache" "hub" "shared-memory" "weights" "api-server-token" -}}
{{- $names := list -}}
{{- range .own.volumes -}}
  {{- if has .name $names -}}
    {{- include "hybrid-llm.problem" (list $plan (printf "%s.volumes" $part) .name "it is there twice" "leave one out") -}}
  {{- else if has .name $chart -}}
    {{- include "hybrid-llm.problem" (list $plan (printf "%s.volumes" $part) .name "the chart has a volume of that name" "choose another name") -}}
  {{- end -}}
  {{- $names = append $names .name -}}
{{- end -}}
{{- $places := list "/" "/tmp" "/dev/shm" "/opt/hybrid-llm" "/opt/hybrid-llm/app" "/etc/hybrid-llm" "/etc/hybrid-llm/api-keys" "/weights" "/home/ray" "/cache" "/cache/huggingface" -}}
{{- $paths := list -}}
{{- range .own.volumeMounts -}}
  {{- $path := clean .mountPath -}}
  {{- if has $path $paths -}}
    {{- include "hybrid-llm.problem" (list $plan (printf "%s.volumeMounts" $part) .mountPath "two volumes would be there" "mount one elsewhere") -}}
  {{- else if or (has $path $places) (regexMatch "^(/opt/hybrid-llm/app|/etc/hybrid-llm/api-keys|/weights)/" $path) -}}
    {{- include "hybrid-llm.problem" (list $plan (printf "%s.volumeMounts" $part) .mountPath "the chart mounts something there" "mount it elsewhere") -}}
  {{- end -}}
  {{- $paths = append $paths $path -}}
  {{- if not (has .name $names) -}}
    {{- include "hybrid-llm.problem" (list $plan (printf "%s.volumeMounts" $part) .name (printf "%s.volumes has no volume of that name" $part) "add it there") -}}
  {{- end -}}
{{- end -}}
{{- /* Those of the chart that this pod has. */ -}}
{{- $known := concat $names (list "app" "tmp" "cache" "shared-memory") -}}
{{- if .values.auth.enabled -}}{{- $known = append $known "api-keys" -}}{{- end -}}
{{- if eq $part "worker" -}}
  {{- if .values.weights.cache.enabled -}}{{- $known = append $known "hub" -}}{{- end -}}
  {{- if has .values.weights.from (list "claim" "image") -}}{{- $known = append $known "weights" -}}{{- end -}}
{{- end -}}
{{- range $field := list "initContainers" "sidecars" -}}
  {{- range get $.own $field -}}
    {{- $container := .name -}}
    {{- range .volumeMounts -}}
      {{- if not (has .name $known) -}}
        {{- include "hybrid-llm.problem" (list $plan (printf "%s.%s" $part $field) $container (printf "its volumeMounts name %s, which the pod does not have" .name) (printf "add it to %s.volumes" $part)) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* (dict "plan" "part" head or worker "own" its values) */}}
{{- define "hybrid-llm.requirements.containers" -}}
{{- $names := list "ray-head" "ray-worker" "autoscaler" "wait-gcs-ready" -}}
{{- range $field := list "initContainers" "sidecars" -}}
  {{- range get $.own $field -}}
    {{- if has .name $names -}}
      {{- include "hybrid-llm.problem" (list $.plan (printf "%s.%s" $.part $field) .name "the pod has a container of that name" "choose another name") -}}
    {{- end -}}
    {{- $names = append $names .name -}}
    {{- $container := .name -}}
    {{- range .env -}}
      {{- if and (hasKey . "value") (regexMatch "(?i)(^|_)(token|secret|password|passwd|pwd|(api)?key|credentials?)$" .name) -}}
        {{- include "hybrid-llm.problem" (list $.plan (printf "%s.%s env" $.part $field) .name (printf "a secret of the container %s would stand in the manifest in clear" $container) "use valueFrom.secretKeyRef") -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- range .own.sidecars -}}
  {{- if .restartPolicy -}}
    {{- include "hybrid-llm.problem" (list $.plan (printf "%s.sidecars" $.part) .name "only an init container may have a restartPolicy" (printf "leave it out, or move it to %s.initContainers" $.part)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
