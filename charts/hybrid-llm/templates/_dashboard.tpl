{{/*
Grafana's JSON of a file of dashboards/: rows one below the other, the panels of each beside one another.
(dict "root" "from" the file)
*/}}
{{- define "hybrid-llm.dashboard" -}}
{{- $root := .root -}}
{{- $source := dict "type" "prometheus" "uid" "$datasource" -}}
{{- $panels := list -}}
{{- $id := 1 -}}
{{- $top := 0 -}}
{{- range .from.rows -}}
  {{- $panels = append $panels (dict "id" $id "type" "row" "title" .title "collapsed" false "panels" list "gridPos" (dict "h" 1 "w" 24 "x" 0 "y" $top)) -}}
  {{- $id = add1 $id -}}
  {{- $columns := ternary 3 (len .panels) (gt (len .panels) 4) -}}
  {{- $width := div 24 $columns -}}
  {{- range $index, $panel := .panels -}}
    {{- $targets := list -}}
    {{- range $legend, $expr := $panel.queries -}}
      {{- $letter := printf "%c" (add 65 (len $targets)) -}}
      {{- $targets = append $targets (dict "refId" $letter "datasource" $source "expr" $expr "legendFormat" $legend) -}}
    {{- end -}}
    {{- $type := default "timeseries" $panel.type -}}
    {{- $defaults := dict "unit" $panel.unit "min" 0 -}}
    {{- $shown := dict "id" $id "type" $type "title" $panel.title "description" (default "" $panel.description) "datasource" $source "targets" $targets "fieldConfig" (dict "defaults" $defaults "overrides" list) "gridPos" (dict "h" 8 "w" $width "x" (mul $width (mod $index $columns)) "y" (add $top 1 (mul 8 (div $index $columns)))) -}}
    {{- if eq $type "timeseries" -}}
      {{- $_ := set $shown "options" (dict "legend" (dict "displayMode" "list" "placement" "bottom" "showLegend" true) "tooltip" (dict "mode" "multi" "sort" "desc")) -}}
    {{- end -}}
    {{- $panels = append $panels $shown -}}
    {{- $id = add1 $id -}}
  {{- end -}}
  {{- $top = add $top 1 (mul 8 (div (add (len .panels) $columns -1) $columns)) -}}
{{- end -}}
{{- $job := include "hybrid-llm.job" $root -}}
{{- $price := $root.Values.dashboard.acceleratorHourPrice | toString -}}
{{- $variables := list
  (dict "name" "datasource" "label" "Prometheus" "type" "datasource" "query" "prometheus")
  (dict "name" "release" "label" "Release" "type" "query" "datasource" $source "query" "label_values(ray_hybrid_llm_requests_total, job)" "refresh" 2 "sort" 1 "current" (dict "text" $job "value" $job))
  (dict "name" "price" "label" "Price of an accelerator's hour" "type" "textbox" "query" $price "current" (dict "text" $price "value" $price))
-}}
{{- dict
  "uid" (printf "hybrid-llm-%s" ($job | sha256sum | trunc 12))
  "title" .from.title
  "tags" (list "hybrid-llm")
  "schemaVersion" 39
  "editable" true
  "refresh" "30s"
  "time" (dict "from" "now-3h" "to" "now")
  "templating" (dict "list" $variables)
  "panels" $panels
| toPrettyJson -}}
{{- end -}}
