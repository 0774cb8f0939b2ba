#!/bin/bash
# pki.sh FOLDER NODE-ADDRESS   makes the cluster's keys, certificates and kubeconfigs.
# Kubernetes has no passwords: each part shows a certificate whose subject says who it is
# (CN: the user, O: the group), signed by an authority that the others trust.
set -euo pipefail
cd "$1"
address=$2
umask 077

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

authority() { # NAME
  key "$1"
  openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 3650 -out "$1.crt" \
    -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature
}

certificate() { # NAME AUTHORITY SUBJECT [ADDRESSES that it serves]
  key "$1"
  openssl req -new -key "$1.key" -subj "$3" |
    openssl x509 -req -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 3650 -out "$1.crt" \
      -extfile <(printf 'keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n%s\n' \
        "${4:+subjectAltName=$4}") 2>/dev/null
}

kubeconfig() { # NAME: for who shows that certificate, inside the node
  cat >"$1.conf" <<END
apiVersion: v1
kind: Config
current-context: hybrid-llm-e2e
contexts: [{name: hybrid-llm-e2e, context: {cluster: hybrid-llm-e2e, user: $1}}]
clusters:
- name: hybrid-llm-e2e
  cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: $(base64 -w0 ca.crt)}
users:
- name: $1
  user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}
END
}

authority ca
# Service accounts' tokens are signed with a key of their own.
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out sa.key 2>/dev/null
openssl pkey -in sa.key -pubout -out sa.pub

# 10.96.0.1 is the Service `kubernetes`, by which pods reach the API server.
certificate kube-apiserver ca /CN=kube-apiserver "DNS:localhost,DNS:kubernetes,\
DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,\
IP:127.0.0.1,IP:10.96.0.1,IP:$address"
certificate apiserver-kubelet-client ca /O=system:masters/CN=apiserver-kubelet-client
certificate kubelet ca /O=system:nodes/CN=system:node:node "DNS:node,IP:127.0.0.1,IP:$address"
certificate admin ca /O=system:masters/CN=admin
for part in kube-controller-manager kube-scheduler kube-proxy; do
  certificate $part ca /CN=system:$part
done
for part in admin kubelet kube-controller-manager kube-scheduler kube-proxy; do
  kubeconfig $part
done
