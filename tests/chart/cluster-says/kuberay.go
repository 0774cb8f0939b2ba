package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	rayv1 "github.com/ray-project/kuberay/ray-operator/apis/ray/v1"
	"github.com/ray-project/kuberay/ray-operator/controllers/ray/common"
	"github.com/ray-project/kuberay/ray-operator/controllers/ray/utils"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

// RayService returns an object as KubeRay reads it, or nil where it is of another kind.
func rayService(raw json.RawMessage) (*rayv1.RayService, error) {
	var header metav1.TypeMeta
	if err := json.Unmarshal(raw, &header); err != nil || header.Kind != "RayService" {
		return nil, err
	}
	service := &rayv1.RayService{}
	return service, json.Unmarshal(raw, service)
}

// Operate returns by what the operator knows a RayService's cluster, the objects that it makes for it, and why it
// would refuse it.
func operate(service *rayv1.RayService) (hash string, made []runtime.Object, err error) {
	hash, err = utils.GenerateHashWithoutReplicasAndWorkersToDelete(service.Spec.RayClusterSpec)
	if err != nil {
		return "", nil, err
	}
	service.Namespace = metav1.NamespaceDefault
	if err := utils.ValidateRayServiceMetadata(service.ObjectMeta); err != nil {
		return hash, nil, err
	}
	if err := utils.ValidateRayServiceSpec(service); err != nil {
		return hash, nil, err
	}
	cluster := clusterOf(service)
	if err := utils.ValidateRayClusterMetadata(cluster.ObjectMeta); err != nil {
		return hash, nil, err
	}
	if err := utils.ValidateRayClusterSpec(&cluster.Spec, cluster.Annotations); err != nil {
		return hash, nil, err
	}
	if err := utils.ValidateRayClusterUpgradeOptions(cluster); err != nil {
		return hash, nil, err
	}
	made, err = objectsOf(service, cluster)
	for _, object := range made {
		if kinds, _, err := scheme.Scheme.ObjectKinds(object); err == nil {
			object.GetObjectKind().SetGroupVersionKind(kinds[0])
		}
	}
	return hash, made, err
}

// ClusterOf does what the operator's constructRayClusterForRayService does.
func clusterOf(service *rayv1.RayService) *rayv1.RayCluster {
	labels := map[string]string{}
	maps.Copy(labels, service.Labels)
	labels[utils.RayOriginatedFromCRNameLabelKey] = service.Name
	labels[utils.RayOriginatedFromCRDLabelKey] = utils.RayOriginatedFromCRDLabelValue(utils.RayServiceCRD)
	return &rayv1.RayCluster{
		TypeMeta: metav1.TypeMeta{APIVersion: rayv1.GroupVersion.String(), Kind: "RayCluster"},
		ObjectMeta: metav1.ObjectMeta{
			Name:        utils.GenerateRayClusterName(service.Name),
			Namespace:   service.Namespace,
			Labels:      labels,
			Annotations: service.Annotations,
		},
		Spec: *service.Spec.RayClusterSpec.DeepCopy(),
	}
}

// ObjectsOf returns what the operator's reconcilers make, by the functions that they call.
func objectsOf(service *rayv1.RayService, cluster *rayv1.RayCluster) ([]runtime.Object, error) {
	ctx := context.Background()
	made := []runtime.Object{cluster}
	template := cluster.Spec.HeadGroupSpec.Template
	labels := map[string]string{}
	if name, ok := template.Labels[utils.KubernetesApplicationNameLabelKey]; ok {
		labels[utils.KubernetesApplicationNameLabelKey] = name
	}
	annotations := maps.Clone(cluster.Spec.HeadServiceAnnotations)
	ofPod, err := common.BuildServiceForHeadPod(ctx, *cluster, labels, annotations)
	if err != nil {
		return nil, err
	}
	head, err := common.BuildHeadServiceForRayService(ctx, *service, *cluster)
	if err != nil {
		return nil, err
	}
	serve, err := common.BuildServeServiceForRayService(ctx, *service, *cluster)
	if err != nil {
		return nil, err
	}
	made = append(made, ofPod, head, serve)
	if utils.IsAutoscalingEnabled(&cluster.Spec) {
		account, err := common.BuildServiceAccount(cluster)
		if err != nil {
			return nil, err
		}
		role, err := common.BuildRole(cluster)
		if err != nil {
			return nil, err
		}
		binding, err := common.BuildRoleBinding(cluster)
		if err != nil {
			return nil, err
		}
		account.Name, role.Name, binding.Name = utils.CheckName(account.Name), utils.CheckName(role.Name), utils.CheckName(binding.Name)
		made = append(made, account, role, binding)
	}
	return append(made, podsOf(ctx, cluster)...), nil
}

// PodsOf does what the operator's buildHeadPod and buildWorkerPod do.
func podsOf(ctx context.Context, cluster *rayv1.RayCluster) []runtime.Object {
	address := utils.GenerateFQDNServiceName(ctx, *cluster, cluster.Namespace)
	port := common.GetHeadPort(cluster.Spec.HeadGroupSpec.RayStartParams)
	build := func(template corev1.PodTemplateSpec, node rayv1.RayNodeType, parameters map[string]string) runtime.Object {
		pod := common.BuildPod(ctx, template, node, parameters, port, utils.IsAutoscalingEnabled(&cluster.Spec),
			utils.RayServiceCRD, address, nil, cluster.Spec.RayVersion)
		return &pod
	}
	head := cluster.Spec.HeadGroupSpec
	name := utils.PodName(cluster.Name, rayv1.HeadNode, true)
	template := common.DefaultHeadPodTemplate(ctx, *cluster, head, name, port)
	made := []runtime.Object{build(template, rayv1.HeadNode, head.RayStartParams)}
	for _, group := range cluster.Spec.WorkerGroupSpecs {
		name := utils.PodName(fmt.Sprintf("%s-%s", cluster.Name, group.GroupName), rayv1.WorkerNode, true)
		template := common.DefaultWorkerPodTemplate(ctx, *cluster, *group.DeepCopy(), name, address, port, "", 0, 0)
		made = append(made, build(template, rayv1.WorkerNode, group.RayStartParams))
	}
	return made
}
