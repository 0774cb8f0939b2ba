// Kuberay reads a JSON list of RayServices and writes, as JSON in the same order, what the operator's own code
// makes of each: the hash by which it decides whether a change needs a new RayCluster, and why it would refuse it.
package main

import (
	"encoding/json"
	"log"
	"os"

	rayv1 "github.com/ray-project/kuberay/ray-operator/apis/ray/v1"
	"github.com/ray-project/kuberay/ray-operator/controllers/ray/utils"
)

type verdict struct {
	Hash    string `json:"hash"`
	Refused string `json:"refused"`
}

func main() {
	log.SetFlags(0)
	var services []*rayv1.RayService
	if err := json.NewDecoder(os.Stdin).Decode(&services); err != nil {
		log.Fatal(err)
	}
	verdicts := []verdict{}
	for _, service := range services {
		hash, err := utils.GenerateHashWithoutReplicasAndWorkersToDelete(service.Spec.RayClusterSpec)
		if err != nil {
			log.Fatal(err)
		}
		verdicts = append(verdicts, verdict{hash, refused(service)})
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		log.Fatal(err)
	}
}

func refused(service *rayv1.RayService) string {
	if err := utils.ValidateRayServiceMetadata(service.ObjectMeta); err != nil {
		return err.Error()
	}
	if err := utils.ValidateRayServiceSpec(service); err != nil {
		return err.Error()
	}
	return ""
}
