{{/*
KubeRay's CRD, where a cluster is asked: Helm's own message for a kind that is not there says nothing of the operator.
`helm template`, a dry run on the client and Argo CD look nothing up, so there nothing is said; with --dry-run=server Helm
3's `helm template` does, but knows no kinds. Each namespace has this ConfigMap, and whoever installs the chart may read
ConfigMaps; a namespace that Helm has yet to make has none, and then Helm's message must do.
*/}}
{{- define "hybrid-llm.kuberay" -}}
{{- if and (.Capabilities.APIVersions.Has "v1/ConfigMap") (lookup "v1" "ConfigMap" .Release.Namespace "kube-root-ca.crt") -}}
{{- if not (.Capabilities.APIVersions.Has "ray.io/v1/RayService") -}}
  {{- $found := ternary "it has ray.io/v1alpha1 alone, of a KubeRay before 1.0" "it has no kind RayService" (.Capabilities.APIVersions.Has "ray.io/v1alpha1/RayService") -}}
  {{- fail (printf "this cluster has no KubeRay that the chart can use: %s. Way out: install KubeRay's operator, %s (docs/install.md), or apply its CRDs anew, which `helm upgrade` of the operator leaves as they are" $found (index .Chart.Annotations "hybrid-llm/kuberay")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
