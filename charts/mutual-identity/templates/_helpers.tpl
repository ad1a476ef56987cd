{{/* The one name of everything: the operator's rights are of the cluster, so there is one installation in a cluster. */}}
{{- define "mutual-identity.name" -}}
mutual-identity
{{- end }}

{{/* What selects the operator's pods. Immutable in the Deployment. */}}
{{- define "mutual-identity.selectorLabels" -}}
app.kubernetes.io/name: {{ include "mutual-identity.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* Labels of every object of the chart. managed-by is Helm: the operator's own mark is on what the operator makes. */}}
{{- define "mutual-identity.labels" -}}
{{ include "mutual-identity.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* The same with labels of people's own, of which none is set twice or changes what selects. root; more. */}}
{{- define "mutual-identity.labelsWith" -}}
{{ merge (include "mutual-identity.labels" .root | fromYaml) .more | toYaml }}
{{- end }}

{{/* The image by tag, and by digest where there is one. */}}
{{- define "mutual-identity.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{ .Values.image.repository }}:{{ $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* Who the operator is to the API server. */}}
{{- define "mutual-identity.username" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "mutual-identity.name" . }}
{{- end }}

{{/* Refuses what the schema cannot see. */}}
{{- define "mutual-identity.check" -}}
{{- if has .Release.Namespace .Values.watchNamespaces }}
{{- fail (printf "watchNamespaces %q: the operator's own namespace holds CA keys and has no identities; take it out" .Release.Namespace) }}
{{- end }}
{{- end }}
