{{/* The preflight Job (preflight/): what it looks at, and what it may read for that. */}}

{{/* metadata of an object of it, which is there for the time of the hook: (list $ "name suffix" "weight" {further annotations}) */}}
{{- define "hybrid-llm.preflight.metadata" -}}
{{- $hook := dict "helm.sh/hook" "pre-install,pre-upgrade" "helm.sh/hook-weight" (index . 2) "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" -}}
{{- include "hybrid-llm.metadata" (list (index . 0) (print "-preflight" (index . 1)) (merge $hook (index . 3))) -}}
{{- end -}}

{{/* Of an object of the whole cluster, where releases of all namespaces meet: (list $ "weight") */}}
{{- define "hybrid-llm.preflight.clusterMetadata" -}}
{{- $root := index . 0 -}}
{{- $suffix := print "-" ($root.Release.Namespace | sha256sum | trunc 8) -}}
{{- omit (include "hybrid-llm.preflight.metadata" (list $root $suffix (index . 1) dict) | fromYaml) "namespace" | toYaml -}}
{{- end -}}

{{- define "hybrid-llm.preflight.serviceAccountName" -}}
{{- default (print (include "hybrid-llm.fullname" .) "-preflight") .Values.preflight.serviceAccountName -}}
{{- end -}}

{{/* The release's objects as a List in JSON. Not what is in ConfigMaps and Secrets: no check looks at it. */}}
{{- define "hybrid-llm.preflight.objects" -}}
{{- $items := list -}}
{{- range $file := list "configmap" "dashboard" "download-job" "httproute" "ingress" "networkpolicy" "persistentvolumeclaim" "playground" "poddisruptionbudget" "podmonitor" "prometheusrule" "rayservice" "resourceclaimtemplate" "secret" "serviceaccount" -}}
  {{- range regexSplit "(?m)^---$" (include (printf "%s/%s.yaml" $.Template.BasePath $file) $) -1 -}}
    {{- with fromYaml . -}}{{- $items = append $items (omit . "data" "stringData") -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- /* Those that the pods may name; of others it need not know. */ -}}
{{- range .Values.extraObjects -}}
  {{- if and (eq .apiVersion "v1") (has .kind (list "ConfigMap" "Secret" "PersistentVolumeClaim" "ServiceAccount")) -}}
    {{- $items = append $items (omit . "data" "stringData") -}}
  {{- end -}}
{{- end -}}
{{- dict "apiVersion" "v1" "kind" "List" "items" $items | toJson -}}
{{- end -}}

{{/* Notes a name: (dict "in" {resource: names} "resource" "secrets" "group" "" "name" name) */}}
{{- define "hybrid-llm.preflight.note" -}}
{{- $key := printf "%s/%s" .resource .group -}}
{{- $_ := set .in $key (append (get .in $key | default list) .name | uniq | sortAlpha) -}}
{{- end -}}

{{/* Notes what pods name, at any depth: (dict "from" part "in" {resource: names}) */}}
{{- define "hybrid-llm.preflight.referred" -}}
{{- $kinds := dict "secretKeyRef" "secrets" "secretRef" "secrets" "secret" "secrets" "imagePullSecrets" "secrets" "configMapKeyRef" "configmaps" "configMapRef" "configmaps" "configMap" "configmaps" -}}
{{- $names := dict "secretName" "secrets" "claimName" "persistentvolumeclaims" -}}
{{- if kindIs "map" .from -}}
  {{- range $key, $part := .from -}}
    {{- if hasKey $kinds $key -}}
      {{- range ternary $part (list $part) (kindIs "slice" $part) -}}
        {{- /* Each pod has that one. */ -}}
        {{- if and (kindIs "map" .) .name (ne .name "kube-root-ca.crt") -}}
          {{- include "hybrid-llm.preflight.note" (dict "in" $.in "group" "" "resource" (get $kinds $key) "name" .name) -}}
        {{- end -}}
      {{- end -}}
    {{- else if and (hasKey $names $key) (kindIs "string" $part) -}}
      {{- include "hybrid-llm.preflight.note" (dict "in" $.in "group" "" "resource" (get $names $key) "name" $part) -}}
    {{- end -}}
    {{- include "hybrid-llm.preflight.referred" (dict "from" $part "in" $.in) -}}
  {{- end -}}
{{- else if kindIs "slice" .from -}}
  {{- range .from -}}{{- include "hybrid-llm.preflight.referred" (dict "from" . "in" $.in) -}}{{- end -}}
{{- end -}}
{{- end -}}

{{/* Rules of a Role: to get, by name, the release's own objects and what its pods name. */}}
{{- define "hybrid-llm.preflight.rules" -}}
{{- $found := dict -}}
{{- range (include "hybrid-llm.preflight.objects" . | fromJson).items -}}
  {{- $group := ternary (regexReplaceAll "/.*" .apiVersion "") "" (contains "/" .apiVersion) -}}
  {{- $resource := lower .kind -}}
  {{- $resource = hasSuffix "y" $resource | ternary (print (trimSuffix "y" $resource) "ies") (print $resource (hasSuffix "s" $resource | ternary "es" "s")) -}}
  {{- include "hybrid-llm.preflight.note" (dict "in" $found "group" $group "resource" $resource "name" .metadata.name) -}}
  {{- if has .kind (list "RayService" "Job" "Ingress") -}}
    {{- include "hybrid-llm.preflight.referred" (dict "from" .spec "in" $found) -}}
  {{- end -}}
{{- end -}}
{{- range list "head-svc" "serve-svc" -}}
  {{- include "hybrid-llm.preflight.note" (dict "in" $found "group" "" "resource" "services" "name" (printf "%s-%s" (include "hybrid-llm.fullname" $) .)) -}}
{{- end -}}
{{- range $key, $names := $found }}
- apiGroups: [{{ last (splitList "/" $key) | quote }}]
  resources: [{{ first (splitList "/" $key) }}]
  verbs: [get]
  resourceNames: {{ toJson $names }}
{{- end -}}
{{- end -}}
