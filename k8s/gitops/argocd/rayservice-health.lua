-- Health of a RayService for Argo CD, which has none of its own: the same as Flux's expressions in
-- ../hybrid-llm/base/release.yaml.
local health = {status = "Progressing", message = "waiting for the KubeRay operator"}
local status = obj.status
if status == nil or status.observedGeneration ~= obj.metadata.generation then
  return health
end

-- Of a first start Serve says so in the active status, of a change in the pending one.
for _, cluster in ipairs({status.activeServiceStatus or {}, status.pendingServiceStatus or {}}) do
  for name, application in pairs(cluster.applicationStatuses or {}) do
    if application.status == "DEPLOY_FAILED" then
      health.status = "Degraded"
      health.message = name .. ": " .. (application.message or application.status)
      return health
    end
  end
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready, upgrade = conditions.Ready, conditions.UpgradeInProgress
-- While a change starts its cluster, Ready is that of the one before it.
if (status.pendingServiceStatus or {}).rayClusterName or (upgrade and upgrade.status == "True") then
  health.message = "a second cluster is starting; the one before it answers"
elseif ready and ready.status == "True" then
  health.status, health.message = "Healthy", ready.message or ""
elseif ready then
  health.message = ready.message or ready.reason
end
return health
