// Policies enforces NetworkPolicy objects on this node by iptables and ipset: it is kube-router's
// controller for them without its router and its proxy.
package main

import (
	"context"
	"flag"
	"sync"
	"time"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API server")
	node := flag.String("node", "", "the name of this node")
	services := flag.String("service-cluster-ip-range", "", "as the API server's")
	flag.Parse()

	access, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	fatal(err)
	client, err := kubernetes.NewForConfig(access)
	fatal(err)
	// The controller asks for the node's address, which the kubelet brings.
	for {
		found, err := client.CoreV1().Nodes().Get(context.Background(), *node, metav1.GetOptions{})
		if err == nil && len(found.Status.Addresses) > 0 {
			break
		}
		time.Sleep(time.Second / 2)
	}

	config := options.NewKubeRouterConfig()
	config.HostnameOverride = *node
	config.ClusterIPCIDRs = []string{*services}
	config.EnableIPv4 = true
	iptables, ipsets, err := netpol.NewIPTablesHandlers(config)
	fatal(err)

	never := make(chan struct{})
	watched := informers.NewSharedInformerFactory(client, 0)
	pods := watched.Core().V1().Pods().Informer()
	namespaces := watched.Core().V1().Namespaces().Informer()
	policies := watched.Networking().V1().NetworkPolicies().Informer()
	var ipsetMutex sync.Mutex
	controller, err := netpol.NewNetworkPolicyController(
		client, config, pods, policies, namespaces, &ipsetMutex, iptables, ipsets)
	fatal(err)
	watched.Start(never)
	watched.WaitForCacheSync(never)
	for informer, handler := range map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		pods:       controller.PodEventHandler,
		namespaces: controller.NamespaceEventHandler,
		policies:   controller.NetworkPolicyEventHandler,
	} {
		_, err := informer.AddEventHandler(handler)
		fatal(err)
	}

	// It tells that it is alive before each round, and waits until someone has heard.
	heartbeats := make(chan *healthcheck.ControllerHeartbeat)
	go func() {
		for range heartbeats {
		}
	}()
	var running sync.WaitGroup
	running.Add(1)
	controller.Run(heartbeats, never, &running)
}

func fatal(err error) {
	if err != nil {
		klog.Fatal(err)
	}
}
