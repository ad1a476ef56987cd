#!/bin/sh
# Makes a root and an issuing CA below it with openssl, as a company would keep them, and prints the Secret for the operator's namespace:
#   sh make-ca.sh | kubectl apply -f -
# The root's key stays with you: it is in the folder that is named at the end.
set -eu
namespace=${1:-mutual-identity-system}
folder=$(mktemp -d)
cd "$folder"
ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
openssl req -x509 $ec -keyout root.key -out root.crt -days 3650 -subj "/O=Example/CN=Example Root" -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
openssl req $ec -keyout ca.key -out ca.csr -subj "/O=Example/CN=Example Issuing CA" 2>/dev/null
printf '%s\n' basicConstraints=critical,CA:TRUE,pathlen:0 keyUsage=critical,keyCertSign,cRLSign subjectKeyIdentifier=hash authorityKeyIdentifier=keyid > ca.ext
openssl x509 -req -in ca.csr -CA root.crt -CAkey root.key -CAcreateserial -days 365 -extfile ca.ext -out ca.crt 2>/dev/null
base64_of() { base64 < "$1" | tr -d '\n'; }
cat <<YAML
apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata: {name: example-ca, namespace: $namespace}
data:
  tls.crt: $(base64_of ca.crt)
  tls.key: $(base64_of ca.key)
  ca.crt: $(base64_of root.crt)
YAML
echo "the root's key is in $folder/root.key" >&2
