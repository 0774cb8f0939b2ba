{{/*
What Kubernetes and KubeRay check of several values together, and would refuse when the release is there already. What
they check of one value is in values.schema.json. (dict "root" $ "plan" plan)
*/}}
{{- define "hybrid-llm.requirements.cluster" -}}
{{- $plan := .plan -}}
{{- $values := .root.Values -}}
{{- $resources := dict "head.resources" $values.head.resources "worker.resources" $values.worker.resources "serving.ingress.resources" $values.serving.ingress.resources "playground.resources" $values.playground.resources "preflight.resources" $values.preflight.resources -}}
{{- range $part := list "head" "worker" -}}
  {{- range $field := list "initContainers" "sidecars" -}}
    {{- $place := printf "%s.%s" $part $field -}}
    {{- range index $values $part $field -}}
      {{- $_ := set $resources (printf "%s[%s].resources" $place .name) (default dict .resources) -}}
      {{- include "hybrid-llm.requirements.once" (dict "plan" $plan "place" (printf "%s[%s].ports" $place .name) "in" .ports "by" (list "containerPort" "protocol") "or" (dict "protocol" "TCP")) -}}
      {{- include "hybrid-llm.requirements.once" (dict "plan" $plan "place" (printf "%s[%s].ports" $place .name) "in" .ports "by" (list "name")) -}}
      {{- include "hybrid-llm.requirements.once" (dict "plan" $plan "place" (printf "%s[%s].env" $place .name) "in" .env "by" (list "name")) -}}
      {{- include "hybrid-llm.requirements.once" (dict "plan" $plan "place" (printf "%s[%s].volumeMounts" $place .name) "in" .volumeMounts "by" (list "mountPath")) -}}
      {{- $hooks := list .livenessProbe .readinessProbe .startupProbe .lifecycle | compact -}}
      {{- if and $hooks (eq $field "initContainers") (ne .restartPolicy "Always") -}}
        {{- include "hybrid-llm.problem" (list $plan $place .name "an init container that ends has no probes and no lifecycle" "leave them out, or set its restartPolicy: Always") -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- range $place, $one := $resources -}}
  {{- include "hybrid-llm.requirements.resources" (dict "plan" $plan "place" $place "resources" $one) -}}
{{- end -}}

{{- include "hybrid-llm.requirements.once" (dict "plan" $plan "place" "hostAliases" "in" $values.hostAliases "by" (list "ip")) -}}
{{- include "hybrid-llm.requirements.once" (dict "plan" $plan "place" "image.pullSecrets" "in" $values.image.pullSecrets "by" (list "name")) -}}
{{- include "hybrid-llm.requirements.once" (dict "plan" $plan "place" "podSecurityContext.sysctls" "in" $values.podSecurityContext.sysctls "by" (list "name")) -}}
{{- include "hybrid-llm.requirements.once" (dict "plan" $plan "place" "worker.topologySpreadConstraints" "in" $values.worker.topologySpreadConstraints "by" (list "topologyKey" "whenUnsatisfiable")) -}}
{{- include "hybrid-llm.requirements.once" (dict "plan" $plan "place" "httpRoute.parentRefs" "in" $values.httpRoute.parentRefs "by" (list "group" "kind" "namespace" "name" "sectionName" "port")) -}}
{{- range $values.networkPolicy.egress -}}
  {{- range .ports -}}
    {{- if and .endPort (lt (int .endPort) (int .port)) -}}
      {{- include "hybrid-llm.problem" (list $plan "networkPolicy.egress" .endPort (printf "that endPort is below its port (%v)" .port) "raise it, or leave it out") -}}
    {{- end -}}
  {{- end -}}
  {{- range .to -}}
    {{- $block := default dict .ipBlock -}}
    {{- range $block.except -}}
      {{- if ne (include "hybrid-llm.within" (list . $block.cidr)) "yes" -}}
        {{- include "hybrid-llm.problem" (list $plan "networkPolicy.egress" . (printf "that exception is no part of its ipBlock.cidr (%s)" $block.cidr) "name a smaller network of it; an IPv6 one only of ::/0") -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}

{{- $redis := $values.ray.gcs.redisAddress -}}
{{- range $values.env -}}
  {{- if has .name (list "RAY_REDIS_ADDRESS" "REDIS_USERNAME" "REDIS_PASSWORD") -}}
    {{- include "hybrid-llm.problem" (list $plan "env" .name "KubeRay refuses it: it sets the head's Redis itself" "use ray.gcs.redisAddress, ray.gcs.username and ray.gcs.existingSecret") -}}
  {{- else if eq .name "RAY_enable_autoscaler_v2" -}}
    {{- include "hybrid-llm.problem" (list $plan "env" .name "KubeRay refuses it beside the version of the autoscaler that the chart chooses" "leave it out") -}}
  {{- end -}}
{{- end -}}
{{- range $key, $value := $values.commonAnnotations -}}
  {{- $place := printf "commonAnnotations.%s" $key -}}
  {{- if has $key (list "ray.io/ft-enabled" "ray.io/external-storage-namespace") -}}
    {{- include "hybrid-llm.problem" (list $plan $place $value "KubeRay takes the head's Redis from its own field" (ternary "leave it out" "leave it out, and set ray.gcs.redisAddress" (ne $redis ""))) -}}
  {{- else if and (eq $key "ray.io/initializing-timeout") (not (regexMatch "^(([0-9]*[1-9][0-9]*(h|m|s))+|[0-9]{0,9}[1-9][0-9]{0,8})$" $value)) -}}
    {{- include "hybrid-llm.problem" (list $plan $place $value "KubeRay takes seconds or a time as 30m" "write it so") -}}
  {{- else if and (hasPrefix "ray.io/" $key) (ne $key "ray.io/initializing-timeout") -}}
    {{- include "hybrid-llm.problem" (list $plan $place $value "KubeRay goes by annotations of that name" "choose one of your own, or use the value for it") -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* Entries of a list that have the same. (dict "plan" "place" "in" the list "by" [field] "or" {field: default}) */}}
{{- define "hybrid-llm.requirements.once" -}}
{{- $seen := list -}}
{{- range $entry := default list .in -}}
  {{- $parts := list -}}
  {{- $named := false -}}
  {{- range $.by -}}
    {{- $named = or $named (hasKey $entry .) -}}
    {{- $parts = append $parts (get $entry . | default (get (default dict $.or) .) | toString) -}}
  {{- end -}}
  {{- $shown := join " " (compact $parts) -}}
  {{- if and $named (has $parts $seen) -}}
    {{- include "hybrid-llm.problem" (list $.plan $.place $shown "it is there twice" "leave one out") -}}
  {{- end -}}
  {{- $seen = append $seen $parts -}}
{{- end -}}
{{- end -}}

{{/* (dict "plan" "place" "resources" as a container has them) */}}
{{- define "hybrid-llm.requirements.resources" -}}
{{- $limits := default dict .resources.limits -}}
{{- range $kind, $request := default dict .resources.requests -}}
  {{- $place := printf "%s.requests.%s" $.place $kind -}}
  {{- $limit := get $limits $kind -}}
  {{- if and (contains "/" $kind) (ne (toString $request) (toString $limit)) -}}
    {{- include "hybrid-llm.problem" (list $.plan $place $request "what is not shared is requested as it is limited" (printf "set it in limits, and leave it out here")) -}}
  {{- else if and (hasKey $limits $kind) (gt (include "hybrid-llm.quantity" $request | float64) (include "hybrid-llm.quantity" $limit | float64)) -}}
    {{- include "hybrid-llm.problem" (list $.plan $place $request (printf "it is more than limits.%s (%v)" $kind $limit) "lower it, or raise the limit") -}}
  {{- end -}}
{{- end -}}
{{- range $kind, $limit := $limits -}}
  {{- if or (contains "kubernetes.io/" $kind) (hasPrefix "requests." $kind) -}}
    {{- include "hybrid-llm.problem" (list $.plan (printf "%s.limits.%s" $.place $kind) $limit "Kubernetes has no resource of that name" "use cpu, memory, ephemeral-storage, or one of a device plugin as nvidia.com/gpu") -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* A Kubernetes quantity as a number. */}}
{{- define "hybrid-llm.quantity" -}}
{{- if kindIs "string" . -}}
  {{- $units := dict "" 1 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
  {{- $number := regexFind "^[0-9.]+" . -}}
  {{- mulf ($number | float64) (get $units (trimPrefix $number .) | float64) -}}
{{- else -}}
  {{- . -}}
{{- end -}}
{{- end -}}

{{/* "yes" where a network is a smaller part of another one. (list "10.1.0.0/16" "10.0.0.0/8") */}}
{{- define "hybrid-llm.within" -}}
{{- $found := list -}}
{{- range . -}}
  {{- $address := splitList "/" . | first -}}
  {{- $length := splitList "/" . | last | int -}}
  {{- $number := 0 -}}
  {{- if not (contains ":" $address) -}}
    {{- range splitList "." $address -}}{{- $number = add (mul $number 256) (int .) -}}{{- end -}}
  {{- end -}}
  {{- $found = append $found (dict "six" (contains ":" $address) "length" $length "number" $number) -}}
{{- end -}}
{{- $inner := index $found 0 -}}
{{- $outer := index $found 1 -}}
{{- $size := 1 -}}
{{- range until (max 0 (sub 32 $outer.length) | int) -}}{{- $size = mul $size 2 -}}{{- end -}}
{{- $same := ternary (eq $outer.length 0) (eq (div $inner.number $size) (div $outer.number $size)) $outer.six -}}
{{- if and (eq $inner.six $outer.six) (gt $inner.length $outer.length) $same }}yes{{ end -}}
{{- end -}}

{{/* vLLM's arguments from any of the values that have some. (dict "plan" "place" "kwargs") */}}
{{- define "hybrid-llm.requirements.engineArguments" -}}
{{- range $key, $value := default dict .kwargs -}}
  {{- $place := printf "%s.%s" $.place $key -}}
  {{- if or (hasPrefix "data_parallel_" $key) (has $key (list "nnodes" "node_rank" "master_addr" "master_port")) -}}
    {{- include "hybrid-llm.problem" (list $.plan $place $value "a replica has the accelerators of parallelism.tensor x parallelism.pipeline, which Ray joins" "leave it out, and set autoscaling.minReplicas for more engines, parallelism.hosts for more hosts") -}}
  {{- else if eq $key "default_chat_template_kwargs" -}}
    {{- if not (kindIs "map" $value) -}}
      {{- include "hybrid-llm.problem" (list $.plan $place $value "it is no map" "write it as {name: value}") -}}
    {{- else if hasKey $value "enable_thinking" -}}
      {{- include "hybrid-llm.problem" (list $.plan (printf "%s.enable_thinking" $place) $value.enable_thinking "it has a value of its own" "set reasoning.thinkingDefault") -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}
