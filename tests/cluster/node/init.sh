#!/bin/bash
# init.sh BINARIES STATE CONTAINERD CONFIG ADDRESS   is process 1 of the node: it makes the world
# that the parts of Kubernetes expect, starts them, and reaps. onenode/node.py starts it in new mount,
# pid, network, ipc and uts namespaces; when it ends, the kernel ends all that runs in them.
set -euo pipefail
binaries=$1 state=$2 containerd=$3 config=$4 address=$5

# --- Files. The root file system is the host's, so what the node writes must go elsewhere: /run is
# new, /var a layer in it over the host's. The folders given are bound to short names that the files
# in config/ can count on.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/node/{binaries,state,containerd,config} /run/var/{upper,work} /run/netns
mount --bind "$binaries" /run/node/binaries
mount --bind "$state" /run/node/state
mount --bind "$containerd" /run/node/containerd
mount --bind "$config" /run/node/config
mount -t overlay -o lowerdir=/var,upperdir=/run/var/upper,workdir=/run/var/work overlay /var
# The kubelet mounts a pod's volumes when containerd has long begun: mounts must spread.
mount --make-rshared /
# The kubelet insists on these, which are the whole machine's: it is shown what it wants to see.
mkdir /run/sysctl
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  shown=/run/sysctl/${setting##*/}
  echo "${setting#*=}" >"${shown%=*}"
  mount --bind "${shown%=*}" "/proc/sys/${setting%=*}"
done
export PATH=/run/node/binaries:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export KUBECACHEDIR=/run/kubectl
pki=/run/node/state/pki logs=/run/node/state/logs

# --- Network. This namespace has no way out: the default route, without which kube-proxy and the
# API server don't know their address, leads into a cable whose other end lies here as well.
hostname node
ip link set lo up
ip link add uplink type veth peer name nowhere
ip address add "$address/24" dev uplink
ip link set uplink up
ip link set nowhere up
ip route add default dev uplink
# Between pods of one bridge too, packets must pass iptables, where Services are made.
sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1 net.ipv4.conf.all.rp_filter=0
echo "nameserver 127.0.0.1" >/run/node/state/resolv.conf # for pods that don't ask CoreDNS: nobody

# --- Parts. Each logs into a file of its own.
start() { # NAME COMMAND...
  local name=$1
  shift
  "$@" >"$logs/$name.log" 2>&1 &
  names[$!]=$name
}
declare -a names
ready() { # COMMAND...: waits until it succeeds
  for _ in $(seq 1200); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  echo "not ready within 2 minutes: $*" >&2
  exit 1
}

# An earlier node was ended, not shut down, and containerd still knows its containers. They are
# removed before the part that speaks to the kubelet can take them up.
sed 's/^disabled_plugins = \[/&"io.containerd.grpc.v1.cri",/' /run/node/config/containerd.toml \
  >/run/containerd-alone.toml
containerd --config /run/containerd-alone.toml >"$logs/containerd-alone.log" 2>&1 &
alone=$!
ready ctr version
ctr --namespace k8s.io containers list --quiet |
  xargs --no-run-if-empty ctr --namespace k8s.io containers remove >>"$logs/containerd-alone.log" 2>&1
kill $alone
wait $alone || true

start containerd containerd --config /run/node/config/containerd.toml

# etcd holds the cluster's state, which ends with the node: no write needs to reach the disk.
start etcd etcd --data-dir /run/node/state/etcd --unsafe-no-fsync --logger zap --log-level warn \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380

start kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
  --secure-port=6443 --advertise-address="$address" \
  --tls-cert-file=$pki/kube-apiserver.crt --tls-private-key-file=$pki/kube-apiserver.key \
  --client-ca-file=$pki/ca.crt --authorization-mode=Node,RBAC \
  --enable-admission-plugins=NodeRestriction --allow-privileged=true \
  --service-cluster-ip-range=10.96.0.0/16 \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local \
  --service-account-key-file=$pki/sa.pub --service-account-signing-key-file=$pki/sa.key \
  --kubelet-certificate-authority=$pki/ca.crt --kubelet-preferred-address-types=InternalIP \
  --kubelet-client-certificate=$pki/apiserver-kubelet-client.crt \
  --kubelet-client-key=$pki/apiserver-kubelet-client.key
ready kubectl --kubeconfig $pki/admin.conf get --raw /readyz

# The controllers turn a Deployment into pods, give a namespace its service account, and so on.
start kube-controller-manager kube-controller-manager --leader-elect=false \
  --kubeconfig=$pki/kube-controller-manager.conf --use-service-account-credentials=true \
  --service-account-private-key-file=$pki/sa.key --root-ca-file=$pki/ca.crt \
  --cluster-signing-cert-file=$pki/ca.crt --cluster-signing-key-file=$pki/ca.key \
  --service-cluster-ip-range=10.96.0.0/16

start kube-scheduler kube-scheduler --leader-elect=false --kubeconfig=$pki/kube-scheduler.conf

start kubelet kubelet --config=/run/node/config/kubelet.yaml --kubeconfig=$pki/kubelet.conf \
  --hostname-override=node --node-ip="$address" \
  --root-dir=/run/node/state/kubelet --cert-dir=/run/node/state/kubelet/pki

start kube-proxy kube-proxy --config=/run/node/config/kube-proxy.yaml

# Without it a NetworkPolicy is accepted and does nothing.
start policies policies --kubeconfig=$pki/admin.conf --node=node \
  --service-cluster-ip-range=10.96.0.0/16

# Nothing is started again: a part that ends is a fault to be seen.
set +e
while true; do
  wait -n -p ended
  status=$?
  if [ -n "${ended-}" ]; then
    echo "${names[$ended]-a process} ended with status $status" >&2
  else
    sleep 1
  fi
done
