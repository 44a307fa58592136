using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TinyLlm.Tests;

namespace TinyLlm.Infra.Tests.Bicep;

/// <summary>What the compiled template says of each service's settings.</summary>
public sealed partial class HardeningTests
{
    [Fact]
    public async Task StorageAccounts_Both_TakeNoKeysAndShowNoBlobs()
    {
        Template template = await Template.LoadAsync();

        ArmResource[] accounts = [.. template.OfType("Microsoft.Storage/storageAccounts")];
        Assert.Equal(["account", "keyAccount"], accounts.Select(account => account.Symbol));
        Assert.All(accounts, account =>
        {
            Assert.False((bool)account.Properties["allowSharedKeyAccess"]!);
            Assert.False((bool)account.Properties["allowBlobPublicAccess"]!);
            Assert.False((bool)account.Properties["isLocalUserEnabled"]!);
            Assert.True((bool)account.Properties["supportsHttpsTrafficOnly"]!);
            Assert.Contains((string?)account.Properties["minimumTlsVersion"], (string[])["TLS1_2", "TLS1_3"]);
        });
        ArmResource[] containers = [.. template.OfType("Microsoft.Storage/storageAccounts/blobServices/containers")];
        Assert.Equal(3, containers.Length);
        Assert.All(containers, container => Assert.Equal("None", (string?)container.Properties["publicAccess"]));
    }

    [Fact]
    public async Task SoftDelete_Models_AreKeptAndKeyEnvelopesAreNot()
    {
        Template template = await Template.LoadAsync();
        Dictionary<string, JsonObject> services = template.OfType("Microsoft.Storage/storageAccounts/blobServices").ToDictionary(service => service.Symbol, service => service.Properties);

        Assert.Equal(["blobs", "keyBlobs"], services.Keys.Order(StringComparer.Ordinal));
        Assert.True((bool)services["blobs"]["deleteRetentionPolicy"]!["enabled"]!);
        Assert.True((bool)services["blobs"]["containerDeleteRetentionPolicy"]!["enabled"]!);
        Assert.Equal("[parameters('softDeleteDays')]", (string?)services["blobs"]["deleteRetentionPolicy"]!["days"]);
        Assert.All(["deleteRetentionPolicy", "containerDeleteRetentionPolicy", "changeFeed"], policy => Assert.False((bool)services["keyBlobs"][policy]!["enabled"]!));
        Assert.False((bool)services["keyBlobs"]["isVersioningEnabled"]!);
        ArmResource envelopes = template.OfType("Microsoft.Storage/storageAccounts/blobServices/containers").Single(container => container.Symbol == "envelopes");
        Assert.Contains(".keyAccount", (string)envelopes.Json["name"]!, StringComparison.Ordinal);
        // Age makes cheaper, and deletes nothing; and only models, wherever those are.
        JsonNode rule = Assert.Single(Assert.Single(template.OfType("Microsoft.Storage/storageAccounts/managementPolicies")).Properties["policy"]!["rules"]!.AsArray())!;
        Assert.Equal(["enableAutoTierToHotFromCool", "tierToCool"], rule["definition"]!["actions"]!["baseBlob"]!.AsObject().Select(action => action.Key).Order(StringComparer.Ordinal));
        string container = ContainerPattern().Match(await ReadAsync("src/TinyLlm.Storage/Objects/DataFolder.cs")).Groups[1].Value;
        string root = RootPattern().Match(await ReadAsync("src/TinyLlm.Storage/Models/ModelFiles.cs")).Groups[1].Value;
        Assert.Equal([$"{container}/{root}/"], rule["definition"]!["filters"]!["prefixMatch"]!.AsArray().Select(prefix => (string?)prefix));
    }

    [Fact]
    public async Task Redis_Membership_IsEncryptedAndWrittenToDisk()
    {
        Template template = await Template.LoadAsync();

        Assert.Equal("1.2", (string?)Assert.Single(template.OfType("Microsoft.Cache/redisEnterprise")).Properties["minimumTlsVersion"]);
        JsonObject database = Assert.Single(template.OfType("Microsoft.Cache/redisEnterprise/databases")).Properties;
        Assert.Equal("Encrypted", (string?)database["clientProtocol"]);
        Assert.Equal("NoEviction", (string?)database["evictionPolicy"]);
        Assert.True((bool)database["persistence"]!["aofEnabled"]!);
        Assert.Equal("1s", (string?)database["persistence"]!["aofFrequency"]);
        ArmResource secret = Assert.Single(template.OfType("Microsoft.KeyVault/vaults/secrets"));
        Assert.Contains("TinyLlm--Cluster--Redis", (string)secret.Json["name"]!, StringComparison.Ordinal);
        Assert.Equal("[length(variables('vaultNames'))]", (string?)secret.Json["copy"]!["count"]);
    }

    [Fact]
    public async Task Vaults_OneForEachRole_GiveAccessByRolesAlone()
    {
        Template template = await Template.LoadAsync();

        ArmResource[] vaults = [.. template.OfType("Microsoft.KeyVault/vaults")];
        Assert.Equal(["api", "core", "gpu"], vaults.Select(vault => vault.Symbol).Order(StringComparer.Ordinal));
        Assert.All(vaults, vault => Assert.Equal("[variables('settings')]", (string?)vault.Json["properties"]));
        JsonNode settings = template.Module("vaults")["variables"]!["settings"]!;
        Assert.All(["enableRbacAuthorization", "enableSoftDelete", "enablePurgeProtection"], name => Assert.True((bool)settings[name]!));
    }

    [Fact]
    public async Task Cluster_PodNetwork_IsEncryptedAndRestricted()
    {
        Template template = await Template.LoadAsync();
        JsonObject cluster = Assert.Single(template.OfType("Microsoft.ContainerService/managedClusters")).Properties;

        JsonNode network = cluster["networkProfile"]!;
        Assert.Equal("WireGuard", (string?)network["advancedNetworking"]!["security"]!["transitEncryption"]!["type"]);
        Assert.True((bool)network["advancedNetworking"]!["security"]!["enabled"]!);
        Assert.Equal("cilium", (string?)network["networkPolicy"]);
        Assert.True((bool)cluster["disableLocalAccounts"]!);
        Assert.True((bool)cluster["aadProfile"]!["enableAzureRBAC"]!);
        Assert.True((bool)cluster["oidcIssuerProfile"]!["enabled"]!);
        Assert.True((bool)cluster["securityProfile"]!["workloadIdentity"]!["enabled"]!);
        Assert.True((bool)cluster["workloadAutoScalerProfile"]!["keda"]!["enabled"]!);
        Assert.Equal("Standard", (string?)cluster["ingressProfile"]!["gatewayAPI"]!["installation"]);
        Assert.True((bool)cluster["azureMonitorProfile"]!["metrics"]!["enabled"]!);
        JsonArray pools = cluster["agentPoolProfiles"]!.AsArray();
        Assert.Equal(["system", "core"], pools.Select(pool => (string?)pool!["name"]));
        Assert.Equal("core", (string?)pools[1]!["nodeLabels"]!["tinyllm.dev/pool"]);
        Assert.True((bool)pools[1]!["enableAutoScaling"]!);
    }

    [Fact]
    public async Task GpuPool_WithAndWithoutASize_ScalesFromNothingOrIsNotThere()
    {
        Template template = await Template.LoadAsync();
        ArmResource pool = Assert.Single(template.OfType("Microsoft.ContainerService/managedClusters/agentPools"));

        Assert.True((bool)pool.Properties["enableAutoScaling"]!);
        Assert.Equal(0, (int)pool.Properties["minCount"]!);
        Assert.Equal("[parameters('maxNodes')]", (string?)pool.Properties["maxCount"]);
        Assert.Equal("nvidia.com/gpu=present:NoSchedule", (string?)Assert.Single(pool.Properties["nodeTaints"]!.AsArray()));
        Assert.Equal("gpu", (string?)pool.Properties["nodeLabels"]!["tinyllm.dev/pool"]);
        // Off unless somebody names a size.
        Assert.Equal("[variables('hasGpuPool')]", pool.Condition);
        Assert.Equal("[not(empty(parameters('gpuVmSize')))]", (string?)template.Root["variables"]!["hasGpuPool"]);
        Assert.Equal("", (string?)template.Root["parameters"]!["gpuVmSize"]!["defaultValue"]);
        // What the manifests are told then, and otherwise.
        (string Output, string With, string Without)[] told =
        [
            ("TINYLLM_GPU_POOL", "'gpu'", "'core'"), ("TINYLLM_GPUS_PER_POD", "1", "0"), ("TINYLLM_GPU_MAX_SURGE", "0", "1"), ("TINYLLM_GPU_MAX_UNAVAILABLE", "1", "0"),
            ("TINYLLM_GPU_MIN_PODS", "0", "1"), ("TINYLLM_GPU_MAX_PODS", "parameters('gpuMaxNodes')", "variables('settings').coreMaxNodes"),
        ];
        Assert.All(told, value => Assert.Equal($"[if(variables('hasGpuPool'), {value.With}, {value.Without})]", (string?)template.Root["outputs"]![value.Output]!["value"]));
    }

    /// <summary>
    /// The first version named the least number as the count of each pool that has an autoscaler: a second deployment then took away the nodes that this had added, or was
    /// refused as scaling by hand. What is named is what a hook found to be there, and on the first deployment the least.
    /// </summary>
    [Fact]
    public async Task Pools_WithAnAutoscaler_AreDeployedWithTheNodesThatTheyHave()
    {
        Template template = await Template.LoadAsync();
        JsonObject[] pools = [.. Assert.Single(template.OfType("Microsoft.ContainerService/managedClusters")).Properties["agentPoolProfiles"]!.AsArray().Select(pool => pool!.AsObject()),
            .. template.OfType("Microsoft.ContainerService/managedClusters/agentPools").Select(pool => pool.Properties)];

        Assert.Equal(3, pools.Length);
        Assert.Equal(
            ["[min(max(parameters('coreNodes'), parameters('settings').coreMinNodes), parameters('settings').coreMaxNodes)]", "[min(parameters('nodes'), parameters('maxNodes'))]"],
            pools.Where(pool => (bool?)pool["enableAutoScaling"] is true).Select(pool => (string?)pool["count"]));
        Assert.Equal("[parameters('settings').systemNodes]", (string?)Assert.Single(pools, pool => !pool.ContainsKey("enableAutoScaling"))["count"]);
        Assert.All(["coreNodes", "gpuNodes"], nodes => Assert.Equal(0, (int)template.Root["parameters"]![nodes]!["defaultValue"]!));
        Assert.Equal("[parameters('coreNodes')]", (string?)template.Root["resources"]!["cluster"]!["properties"]!["parameters"]!["coreNodes"]!["value"]);
        Assert.Equal("[parameters('gpuNodes')]", (string?)template.Root["resources"]!["gpuPool"]!["properties"]!["parameters"]!["nodes"]!["value"]);
    }

    /// <summary>Production loses a zone without losing data or the API; small pays for none of that.</summary>
    [Fact]
    public async Task Sizes_SmallAndProduction_DifferInWhatSurvivesAZone()
    {
        JsonNode sizes = (await Template.LoadAsync()).Root["variables"]!["sizes"]!;

        Assert.Equal(3, sizes["production"]!["zones"]!.AsArray().Count);
        Assert.Equal(("Standard_ZRS", "Enabled", "Standard"), ((string?)sizes["production"]!["storageSku"], (string?)sizes["production"]!["redisHighAvailability"], (string?)sizes["production"]!["clusterTier"]));
        Assert.All(["systemNodes", "coreMinNodes"], nodes => Assert.InRange((int)sizes["production"]![nodes]!, 3, int.MaxValue)); // one in each zone
        Assert.Empty(sizes["small"]!["zones"]!.AsArray());
        Assert.Equal(("Standard_LRS", "Disabled", "Free"), ((string?)sizes["small"]!["storageSku"], (string?)sizes["small"]!["redisHighAvailability"], (string?)sizes["small"]!["clusterTier"]));
        Assert.All(["systemNodes", "coreMinNodes"], nodes => Assert.Equal(1, (int)sizes["small"]![nodes]!));
    }

    [Fact]
    public async Task Registry_AndMonitoring_TakeNoPasswords()
    {
        Template template = await Template.LoadAsync();

        JsonObject registry = Assert.Single(template.OfType("Microsoft.ContainerRegistry/registries")).Properties;
        Assert.False((bool)registry["adminUserEnabled"]!);
        Assert.False((bool)registry["anonymousPullEnabled"]!);
        Assert.Equal("Disabled", (string?)Assert.Single(template.OfType("Microsoft.Dashboard/grafana")).Properties["apiKey"]);
        Assert.True((bool)Assert.Single(template.OfType("Microsoft.OperationalInsights/workspaces")).Properties["features"]!["disableLocalAuth"]!);
    }

    [Fact]
    public async Task Tags_EveryResourceThatTakesThem_HasThem()
    {
        Template template = await Template.LoadAsync();

        string[] without = [.. template.Resources
            .Where(resource => resource.Json.ContainsKey("location") && (string?)resource.Json["tags"] is not ("[parameters('tags')]" or "[variables('tags')]"))
            .Select(resource => resource.Symbol)];

        Assert.Empty(without);
    }

    /// <summary>azd fills in the parameters from its environment; none is unknown, and each that needs a value gets one.</summary>
    [Fact]
    public async Task Parameters_OfAzd_FitTheTemplate()
    {
        Template template = await Template.LoadAsync();
        JsonObject declared = template.Root["parameters"]!.AsObject();
        string text = await ReadAsync("infra/main.parameters.json");
        Dictionary<string, string> given = JsonNode.Parse(text)!["parameters"]!.AsObject().ToDictionary(parameter => parameter.Key, parameter => (string)parameter.Value!["value"]!);

        Assert.Equal(declared.Select(parameter => parameter.Key).Order(StringComparer.Ordinal), given.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("small", DefaultPattern().Match(given["size"]).Groups[1].Value);
        Assert.Equal("", DefaultPattern().Match(given["gpuVmSize"]).Groups[1].Value);
        Assert.Equal(["production", "small"], declared["size"]!["allowedValues"]!.AsArray().Select(value => (string?)value));
        Assert.Equal(["production", "small"], template.Root["variables"]!["sizes"]!.AsObject().Select(size => size.Key).Order(StringComparer.Ordinal));
        string[] outputs = [.. template.Root["outputs"]!.AsObject().Select(output => output.Key)];
        Assert.All(["AZURE_AKS_CLUSTER_NAME", "AZURE_CONTAINER_REGISTRY_ENDPOINT", "AZURE_RESOURCE_GROUP", "AZURE_LOCATION", "AZURE_TENANT_ID"], name => Assert.Contains(name, outputs));
    }

    private static Task<string> ReadAsync(string path) => File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, path), TestContext.Current.CancellationToken);

    [GeneratedRegex("ObjectsContainer = \"(\\w+)\"")]
    private static partial Regex ContainerPattern();

    [GeneratedRegex("Root = \"(\\w+)\"")]
    private static partial Regex RootPattern();

    [GeneratedRegex(@"^\$\{\w+=(.*)\}$")]
    private static partial Regex DefaultPattern();
}
