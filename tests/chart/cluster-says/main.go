// Cluster-says reads a JSON list of renders, each a list of objects, and writes as JSON in the same order what a cluster
// would say of each: why Kubernetes' API server or KubeRay's operator would refuse it, by their own code; what KubeRay
// makes of a RayService is asked about too. Its arguments are the files of the CRDs.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

type verdict struct {
	// Of the RayService, by which the operator decides whether a change needs a new RayCluster.
	Hash    string   `json:"hash"`
	Refused []string `json:"refused"`
}

func main() {
	log.SetFlags(0)
	flag.Parse()
	// KubeRay's functions tell of each Pod, some on standard output.
	answer := os.Stdout
	os.Stdout = os.Stderr
	ctrl.SetLogger(logr.Discard())
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	server, err := newServer(flag.Args())
	if err != nil {
		log.Fatal(err)
	}
	var renders [][]json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&renders); err != nil {
		log.Fatal(err)
	}
	verdicts := make([]verdict, len(renders))
	var group sync.WaitGroup
	slots := make(chan struct{}, runtime.NumCPU())
	for i, objects := range renders {
		group.Add(1)
		slots <- struct{}{}
		go func() {
			verdicts[i] = judge(server, objects)
			<-slots
			group.Done()
		}()
	}
	group.Wait()
	if err := json.NewEncoder(answer).Encode(verdicts); err != nil {
		log.Fatal(err)
	}
}

func judge(server *server, objects []json.RawMessage) verdict {
	said := verdict{Refused: []string{}}
	refuse := func(of string, errs ...error) {
		for _, err := range errs {
			said.Refused = append(said.Refused, fmt.Sprintf("%s: %v", of, err))
		}
	}
	seen := map[string]bool{}
	for _, raw := range objects {
		name, err := server.create(raw)
		if err != nil {
			refuse(name, err)
		} else if seen[name] {
			refuse(name, fmt.Errorf("already exists"))
		}
		seen[name] = true
		service, err := rayService(raw)
		if err != nil {
			refuse(name, err)
		}
		if service == nil {
			continue
		}
		hash, made, err := operate(service)
		said.Hash = hash
		if err != nil {
			refuse("KubeRay", err)
		}
		for _, object := range made {
			raw, err := json.Marshal(object)
			if err != nil {
				log.Fatal(err)
			}
			if name, err := server.create(raw); err != nil {
				refuse("KubeRay's "+name, err)
			}
		}
	}
	return said
}
