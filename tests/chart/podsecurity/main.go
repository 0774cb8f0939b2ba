// Podsecurity reads a JSON object of Pods by name and writes, as JSON by name, what Kubernetes' own
// evaluator of the Pod Security Standards has against each at a level: none is an empty object.
package main

import (
	"encoding/json"
	"log"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: podsecurity LEVEL < pods.json")
	}
	level, err := api.ParseLevel(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var pods map[string]*corev1.Pod
	if err := json.NewDecoder(os.Stdin).Decode(&pods); err != nil {
		log.Fatal(err)
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		log.Fatal(err)
	}
	findings := map[string]string{}
	for name, pod := range pods {
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(
			api.LevelVersion{Level: level, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec))
		if !result.Allowed {
			findings[name] = result.ForbiddenDetail()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(findings); err != nil {
		log.Fatal(err)
	}
}
