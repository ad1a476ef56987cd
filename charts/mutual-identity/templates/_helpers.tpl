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
{{- $repository := regexReplaceAll "[:@][^/]*$" .Values.image.repository "" }}
{{- if ne $repository .Values.image.repository }}
{{- fail (printf "image.repository %q: it is the name without tag and digest; set it to %s, put the tag into image.tag and the digest into image.digest" .Values.image.repository $repository) }}
{{- end }}
{{- include "mutual-identity.checkNamespaces" . }}
{{- include "mutual-identity.checkAlone" . }}
{{- end }}

{{/* Who watches no namespace in particular needs no right to read them. Without a cluster (helm template) every lookup is empty, and nothing is refused. */}}
{{- define "mutual-identity.checkNamespaces" -}}
{{- if .Values.watchNamespaces }}
{{- if lookup "v1" "Namespace" "" "kube-system" }}
{{- $missing := list }}
{{- range .Values.watchNamespaces }}
{{- if not (lookup "v1" "Namespace" "" .) }}
{{- $missing = append $missing . }}
{{- end }}
{{- end }}
{{- with $missing }}
{{- fail (printf "watchNamespaces: there is no namespace %s, and each must exist to get its Role; correct the name, make the namespace (kubectl create namespace %s), or take it out" (join ", " .) (first .)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Whose the rights of the cluster are, Helm's own annotations say: people may change labels and subjects, and an upgrade takes that back. */}}
{{- define "mutual-identity.checkAlone" -}}
{{- $binding := printf "%s-controller" (include "mutual-identity.name" .) }}
{{- with lookup "rbac.authorization.k8s.io/v1" "ClusterRoleBinding" "" $binding }}
{{- $notes := .metadata.annotations | default dict }}
{{- $release := index $notes "meta.helm.sh/release-name" | default "" }}
{{- $namespace := index $notes "meta.helm.sh/release-namespace" | default "" }}
{{- $ours := and (eq $release $.Release.Name) (eq $namespace $.Release.Namespace) }}
{{- $who := printf "as release %q in namespace %q (annotations meta.helm.sh/release-name and meta.helm.sh/release-namespace" $release $namespace }}
{{- if not $release }}
{{- /* Applied without Helm: there the account tells. */}}
{{- $namespaces := list }}
{{- range .subjects }}
{{- $namespaces = append $namespaces (.namespace | default $.Release.Namespace) }}
{{- end }}
{{- $ours = or (empty $namespaces) (has $.Release.Namespace $namespaces) }}
{{- $who = printf "without Helm, in namespace %q (subjects" (first $namespaces) }}
{{- end }}
{{- if not $ours }}
{{- fail (printf "release %q in namespace %q: the operator is installed already, %s of ClusterRoleBinding %s), and there is one installation in a cluster: upgrade that one, or uninstall it first (docs/install.md); where nothing is installed there any more, kubectl delete clusterrolebinding %s" $.Release.Name $.Release.Namespace $who $binding $binding) }}
{{- end }}
{{- end }}
{{- end }}
