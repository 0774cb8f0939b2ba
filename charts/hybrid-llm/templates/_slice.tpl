{{/*
A part of a GPU instead of a whole one: a MIG slice, or a share of a GPU that several containers take turns on. That it
is one is read where the cluster says so: the resource's name, or the labels that select the nodes.

Sets `slice` in `model`: `mig` (its profile), `sharedBy` (containers of one GPU), both or one; without any there is none.
Changes what the accelerator then has: memory, and of the host its part of cores and memory.
(dict "given" accelerator's values "accelerator" the preset with overrides "whole" MiB of the preset's own "model")
*/}}
{{- define "hybrid-llm.slice" -}}
{{- $accelerator := .accelerator -}}
{{- $overrides := .given.overrides -}}
{{- $labels := .given.nodeSelector -}}
{{- $product := get $labels "nvidia.com/gpu.product" | toString -}}
{{- $profile := "[0-9]+g[.][0-9]+gb" -}}
{{- $name := $accelerator.resourceName | toString -}}
{{- $mig := regexFind (printf "^nvidia[.]com/mig-.*%s" $profile) $name -}}
{{- if not $mig -}}{{- $mig = regexFind (printf "-MIG-.*%s" $profile) $product -}}{{- end -}}
{{- if not $mig -}}{{- $mig = get $labels "cloud.google.com/gke-gpu-partition-size" | toString -}}{{- end -}}
{{- $mig = regexFind $profile $mig -}}
{{- if .given.dra.enabled -}}
  {{- $mig = regexFind $profile (join " " .given.dra.selectors) -}}
  {{- if and (not $mig) (contains "mig" .given.dra.deviceClass) -}}{{- $mig = "of any size" -}}{{- end -}}
{{- end -}}
{{- $clients := get $labels "cloud.google.com/gke-max-shared-clients-per-gpu" | toString -}}
{{- $shares := default (int $clients) .given.sharedBy | int -}}
{{- $shared := or (hasSuffix ".shared" $name) (hasSuffix "-SHARED" $product) (gt $shares 1) -}}
{{- $slice := dict -}}
{{- if $mig -}}{{- $_ := set $slice "mig" $mig -}}{{- end -}}
{{- if $shared -}}{{- $_ := set $slice "sharedBy" $shares -}}{{- end -}}
{{- if and $slice $name -}}
  {{- $whole := $accelerator.memoryMiB | int -}}
  {{- $memory := $whole -}}
  {{- if and $mig (not (hasKey $overrides "memoryMiB")) -}}
    {{- $memory = get ($accelerator.migMiB | default dict) $mig | int -}}
  {{- else if $mig -}}
    {{- $whole = .whole | int -}}
  {{- end -}}
  {{- $memory = div $memory (max 1 $shares) | int -}}
  {{- $part := divf $memory (max 1 $whole) -}}
  {{- $_ := set $accelerator "memoryMiB" $memory -}}
  {{- $_ := set $accelerator "maxPerNode" 1 -}}
  {{- if not (hasKey $overrides "cpuPerAccelerator") -}}
    {{- $_ := set $accelerator "cpuPerAccelerator" (max 4 (mulf $part $accelerator.cpuPerAccelerator | ceil | int) | int) -}}
  {{- end -}}
  {{- if not (hasKey $overrides "memoryGiBPerAccelerator") -}}
    {{- $_ := set $accelerator "memoryGiBPerAccelerator" (max 16 (mulf $part $accelerator.memoryGiBPerAccelerator | ceil | int) | int) -}}
  {{- end -}}
  {{- if not (hasKey $overrides "sharedMemoryGiB") -}}
    {{- $_ := set $accelerator "sharedMemoryGiB" (min ($accelerator.sharedMemoryGiB | int) (div $accelerator.memoryGiBPerAccelerator 2) | int) -}}
  {{- end -}}
  {{- if not (hasKey $overrides "peak") -}}{{- $_ := unset $accelerator "peak" -}}{{- end -}}{{/* nobody knows a part's */}}
{{- end -}}
{{- $_ := set .model "slice" $slice -}}
{{- end -}}

{{/* The platform's labels of nodes whose GPUs are shared. (dict "labels" those of the whole GPU "model" "platform") */}}
{{- define "hybrid-llm.slice.labels" -}}
{{- $labels := deepCopy .labels -}}
{{- $shares := .model.slice.sharedBy | int -}}
{{- if and (gt $shares 1) (eq .model.accelerator.resourceName "nvidia.com/gpu") -}}
  {{- with get $labels "nvidia.com/gpu.product" -}}{{- $_ := set $labels "nvidia.com/gpu.product" (printf "%s-SHARED" .) -}}{{- end -}}
  {{- if eq .platform "gke" -}}
    {{- $_ := set $labels "cloud.google.com/gke-gpu-sharing-strategy" "time-sharing" -}}
    {{- $_ := set $labels "cloud.google.com/gke-max-shared-clients-per-gpu" (toString $shares) -}}
  {{- end -}}
{{- end -}}
{{- toJson $labels -}}
{{- end -}}

{{/* The accelerator in words, for a message. */}}
{{- define "hybrid-llm.slice.words" -}}
{{- .label -}}
{{- with .slice.mig }} MIG {{ . }}{{ end -}}
{{- with .slice.sharedBy }} shared by {{ . }}{{ end -}}
{{- end -}}

{{/* (dict "plan" "model" "given" accelerator's values) */}}
{{- define "hybrid-llm.requirements.slice" -}}
{{- $plan := .plan -}}
{{- $m := .model -}}
{{- $at := $m.at -}}
{{- if $m.cpu -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%saccelerator.sharedBy" $at) $m.slice.sharedBy "a CPU is shared by what pods ask of it, not by this" "leave it null") -}}
{{- end -}}
{{- $known := $m.accelerator.migMiB | default dict -}}
{{- if and (eq ($m.slice.mig | toString) "of any size") (not $m.accelerator.memoryMiB) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%saccelerator.dra.selectors" $at) "" "a MIG slice of any size would do, so its memory is not known" "name its profile: device.attributes['gpu.nvidia.com'].profile == '3g.40gb'; or set accelerator.overrides.memoryMiB to the least") -}}
{{- else if and $m.slice.mig (not $m.accelerator.memoryMiB) -}}
  {{- $names := keys $known | sortAlpha | join ", " | default "none" -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%saccelerator.overrides.resourceName" $at) $m.accelerator.resourceName (printf "the memory of a MIG slice %s of %s is not known; known are: %s" $m.slice.mig $m.label $names) (printf "set accelerator.overrides.memoryMiB to the node's label nvidia.com/mig-%s.memory, or nvidia.com/gpu.memory where all slices are alike" $m.slice.mig)) -}}
{{- end -}}
{{- if and (hasKey $m.slice "sharedBy") (lt ($m.slice.sharedBy | int) 2) -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%saccelerator.sharedBy" $at) (ternary "" $m.slice.sharedBy (eq ($m.slice.sharedBy | int) 0)) "several containers share such a GPU, whose memory nothing divides, and each would take all of it" "set it to how many they are: `replicas` of the device plugin, and the node's label nvidia.com/gpu.replicas") -}}
{{- end -}}
{{- if gt ($m.accelerators | int) 1 -}}
  {{- $why := "a process sees one MIG slice alone, and the NCCL of this vLLM joins no slices" -}}
  {{- if not $m.slice.mig -}}{{- $why = "two shares may be of the same GPU, and NCCL joins different ones alone" -}}{{- end -}}
  {{- include "hybrid-llm.problem" (list $plan (printf "%sparallelism" $at) (printf "tensor %d x pipeline %d" $m.tensor $m.pipeline) $why "set both to 1, and take a larger slice or whole GPUs for a larger model") -}}
{{- end -}}
{{- end -}}
