{{/* Names and labels of the chart's objects. */}}

{{- define "hybrid-llm.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name -}}
{{- end -}}
{{- end -}}

{{- define "hybrid-llm.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "hybrid-llm.labels" -}}
{{ include "hybrid-llm.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* metadata of an object: (list $ "name suffix" {further annotations} {further labels, or none}) */}}
{{- define "hybrid-llm.metadata" -}}
{{- $root := index . 0 -}}
name: {{ printf "%s%s" (include "hybrid-llm.fullname" $root) (index . 1) | quote }}
namespace: {{ $root.Release.Namespace | quote }}
labels:
  {{- include "hybrid-llm.labels" $root | nindent 2 }}
  {{- if gt (len .) 3 }}
  {{- with index . 3 }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
{{- with merge (dict) (index . 2) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "hybrid-llm.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "hybrid-llm.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "hybrid-llm.keysSecret" -}}
{{- default (printf "%s-api-keys" (include "hybrid-llm.fullname" .)) .Values.auth.existingSecret -}}
{{- end -}}

{{- define "hybrid-llm.playgroundSecret" -}}
{{- default (printf "%s-playground" (include "hybrid-llm.fullname" .)) .Values.playground.existingSecret -}}
{{- end -}}

{{- define "hybrid-llm.cacheClaim" -}}
{{- default (printf "%s-cache" (include "hybrid-llm.fullname" .)) .Values.weights.cache.existingClaim -}}
{{- end -}}

{{/* The job that the Prometheus operator makes of the PodMonitor. */}}
{{- define "hybrid-llm.job" -}}
{{- printf "%s/%s" .Release.Namespace (include "hybrid-llm.fullname" .) -}}
{{- end -}}
