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
{{- /* The rest is seen in the cluster. Without one (helm template) every lookup is empty, and nothing is refused. */}}
{{- if lookup "v1" "Namespace" "" "kube-system" }}
{{- range .Values.watchNamespaces }}
{{- if not (lookup "v1" "Namespace" "" .) }}
{{- fail (printf "watchNamespaces %q: there is no such namespace, and each must exist to get its Role; correct the name, make the namespace (kubectl create namespace %s), or take it out" . .) }}
{{- end }}
{{- end }}
{{- end }}
{{- $binding := printf "%s-controller" (include "mutual-identity.name" .) }}
{{- with lookup "rbac.authorization.k8s.io/v1" "ClusterRoleBinding" "" $binding }}
{{- $remedy := printf "there is one installation in a cluster: upgrade that one, or uninstall it first (docs/install.md); where nothing is installed there any more, kubectl delete clusterrolebinding %s" $binding }}
{{- range .subjects }}
{{- if ne (.namespace | default $.Release.Namespace) $.Release.Namespace }}
{{- fail (printf "namespace %q: the operator is installed in namespace %q already, for ClusterRoleBinding %s gives its rights to the account there; %s" $.Release.Namespace .namespace $binding $remedy) }}
{{- end }}
{{- end }}
{{- $release := index (.metadata.labels | default dict) "app.kubernetes.io/instance" | default $.Release.Name }}
{{- if ne $release $.Release.Name }}
{{- fail (printf "release %q: the operator is installed as release %q already, for ClusterRoleBinding %s has its label; %s" $.Release.Name $release $binding $remedy) }}
{{- end }}
{{- end }}
{{- end }}
