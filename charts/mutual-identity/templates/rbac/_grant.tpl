{{/*
A role with its binding to the operator's account, as grant() in src/api/rights.ts makes them.
root: the chart's scope; name; namespace: absent for the whole cluster; rules: text of the rules.
*/}}
{{- define "mutual-identity.grant" -}}
{{- $kind := ternary "Role" "ClusterRole" (hasKey . "namespace") -}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels:
    {{- include "mutual-identity.labels" .root | nindent 4 }}
rules:
  {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels:
    {{- include "mutual-identity.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "mutual-identity.name" .root }}
    namespace: {{ .root.Release.Namespace | quote }}
{{ end }}

{{/* The rules of parts of the rights, which are generated from src/api/rights.ts. root; parts: names of files. */}}
{{- define "mutual-identity.rules" -}}
{{- $root := .root -}}
{{- range .parts }}
{{ $root.Files.Get (printf "files/rights/%s.yaml" .) | trim }}
{{- end }}
{{- end }}
