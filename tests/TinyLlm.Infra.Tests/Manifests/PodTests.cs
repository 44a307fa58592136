using System.Globalization;
using System.Text.RegularExpressions;
using k8s.Models;
using TinyLlm.Tests;

namespace TinyLlm.Infra.Tests.Manifests;

/// <summary>What a pod of the host may do, how it is looked after and how it ends.</summary>
public sealed partial class PodTests
{
    /// <summary>The document's names of the options that are never shown.</summary>
    private static readonly string[] s_secret = ["TinyLlm:Cluster:Redis", "TinyLlm:Storage:ConnectionString"];

    /// <summary>Options that this deployment decides; all others have the host's default.</summary>
    private static readonly string[] s_decided =
    [
        "TinyLlm:Cluster:Address", "TinyLlm:Cluster:Kubernetes", "TinyLlm:Cluster:SiloPort", "TinyLlm:Data", "TinyLlm:Http:AllowedHosts", "TinyLlm:Http:TrustedProxies",
        "TinyLlm:KeyVault:Uri", "TinyLlm:Retention:Days", "TinyLlm:Retention:What", "TinyLlm:Roles", "TinyLlm:Storage:AccountUri", "TinyLlm:Storage:KeyAccountUri",
        "TinyLlm:Telemetry:MetricsAddress", "TinyLlm:Telemetry:MetricsPort",
    ];

    [Fact]
    public async Task Pods_OfEveryRole_RunWithoutRights()
    {
        ManifestSet set = await ManifestSet.LoadAsync();

        Assert.Equal(["api", "core", "gpu"], set.Hosts().Keys.Order(StringComparer.Ordinal));
        foreach (V1PodTemplateSpec pod in set.Hosts().Values)
        {
            Assert.True(pod.Spec.SecurityContext.RunAsNonRoot);
            Assert.InRange(pod.Spec.SecurityContext.RunAsUser!.Value, 1, int.MaxValue);
            Assert.Equal("RuntimeDefault", pod.Spec.SecurityContext.SeccompProfile.Type);
            V1SecurityContext container = pod.Spec.Containers.Single().SecurityContext;
            Assert.False(container.AllowPrivilegeEscalation);
            Assert.True(container.ReadOnlyRootFilesystem);
            Assert.Equal(["ALL"], container.Capabilities.Drop);
            Assert.Null(pod.Spec.HostNetwork);
            Assert.All(pod.Spec.Volumes, volume => Assert.NotNull(volume.EmptyDir));
        }
    }

    [Fact]
    public async Task Pods_OfEveryRole_AreBoundedAndSpread()
    {
        ManifestSet set = await ManifestSet.LoadAsync();
        foreach ((string name, V1PodTemplateSpec pod) in set.Hosts())
        {
            V1Container container = pod.Spec.Containers.Single();
            Assert.All(["cpu", "memory"], resource => Assert.Contains(resource, container.Resources.Requests.Keys));
            Assert.Contains("memory", container.Resources.Limits.Keys);
            Assert.Equal(["kubernetes.io/hostname", "topology.kubernetes.io/zone"], pod.Spec.TopologySpreadConstraints.Select(spread => spread.TopologyKey).Order(StringComparer.Ordinal));
            Assert.Contains(name, set.Of<V1PodDisruptionBudget>().Keys);
        }
        Assert.Contains("nvidia.com/gpu", set.Hosts()["gpu"].Spec.Containers.Single().Resources.Limits.Keys);
    }

    /// <summary>The platform waits longer than the pod needs: for the gateway, for running answers, and for leaving the cluster.</summary>
    [Fact]
    public async Task Termination_OfEveryRole_WaitsForTheDrain()
    {
        ManifestSet set = await ManifestSet.LoadAsync();
        string setup = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "src/TinyLlm.Host/Hosting/SiloSetup.cs"), TestContext.Current.CancellationToken);
        double leave = double.Parse(LeavePattern().Match(setup).Groups[1].Value, CultureInfo.InvariantCulture);

        foreach (V1PodTemplateSpec pod in set.Hosts().Values)
        {
            V1Container container = pod.Spec.Containers.Single();
            double drain = TimeSpan.Parse(set.EnvironmentOf(container)["TinyLlm__Drain__Deadline"], CultureInfo.InvariantCulture).TotalSeconds;
            double before = container.Lifecycle?.PreStop?.Sleep?.Seconds ?? 0;
            Assert.InRange(pod.Spec.TerminationGracePeriodSeconds!.Value, before + drain + leave + 1, 600);
        }
    }

    /// <summary>Probes ask under a name that the host goes by. That their routes are there, HealthRoutesTests asks a host, and DeployedRolesTests every role.</summary>
    [Fact]
    public async Task Probes_OfEveryRole_AskWhatTheyAreFor()
    {
        ManifestSet set = await ManifestSet.LoadAsync();
        foreach (V1PodTemplateSpec pod in set.Hosts().Values)
        {
            V1Container container = pod.Spec.Containers.Single();
            string? allowed = set.EnvironmentOf(container).GetValueOrDefault("TinyLlm__Http__AllowedHosts");
            foreach (V1Probe probe in (V1Probe[])[container.StartupProbe, container.ReadinessProbe, container.LivenessProbe])
            {
                if (allowed is not null) Assert.Equal(allowed, probe.HttpGet.HttpHeaders.Single(header => header.Name == "Host").Value);
            }
            Assert.Equal("/healthz/ready", container.ReadinessProbe.HttpGet.Path);
            Assert.Equal("/healthz/live", container.LivenessProbe.HttpGet.Path); // one that drains is alive
        }
    }

    /// <summary>Every option of the host, by the list of docs/OPERATIONS.md, is in a ConfigMap, the Secret or a pod's own fields, and nothing else is; no default is another than the host's.</summary>
    [Fact]
    public async Task Options_AllOfTheHost_AreInAMapOrTheSecret()
    {
        ManifestSet set = await ManifestSet.LoadAsync();
        string document = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "docs/OPERATIONS.md"), TestContext.Current.CancellationToken);
        Dictionary<string, string> defaults = OptionPattern().Matches(document).ToDictionary(row => row.Groups[1].Value, row => row.Groups[2].Value);
        Assert.InRange(defaults.Count, 50, int.MaxValue);

        (string Option, string Value)[] given = [.. set.Hosts().Values.SelectMany(pod => set.EnvironmentOf(pod.Spec.Containers.Single()))
            .Where(variable => variable.Key.StartsWith("TinyLlm__", StringComparison.Ordinal))
            .Select(variable => (variable.Key.Replace("__", ":", StringComparison.Ordinal), variable.Value)).Distinct()];

        Assert.Equal(defaults.Keys.Order(StringComparer.Ordinal), given.Select(variable => variable.Option).Distinct().Order(StringComparer.Ordinal));
        string[] others = [.. given.Where(variable => variable.Value != defaults[variable.Option]).Select(variable => variable.Option).Distinct()];
        Assert.Equal(s_decided, others.Order(StringComparer.Ordinal));
    }

    /// <summary>What is secret has its place in the Secret and in no map, and no manifest holds a value of one.</summary>
    [Fact]
    public async Task Secrets_OfTheHost_AreInTheSecretAlone()
    {
        ManifestSet set = await ManifestSet.LoadAsync();

        IDictionary<string, string> secret = Assert.Single(set.Of<V1Secret>()).Value.StringData;

        Assert.Equal(s_secret, secret.Keys.Select(name => name.Replace("__", ":", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.All(secret.Values, value => Assert.Equal("", value));
        Assert.All(set.Of<V1ConfigMap>().Values, map => Assert.Empty(map.Data.Keys.Intersect(secret.Keys)));
        Assert.All(set.Hosts().Values, pod => Assert.Contains(pod.Spec.Containers.Single().EnvFrom, source => source.SecretRef?.Name == "tinyllm"));
    }

    /// <summary>What ties a silo to its pod, as Orleans' hosting for Kubernetes wants it.</summary>
    [Fact]
    public async Task Silos_OfEveryRole_KnowTheirPods()
    {
        ManifestSet set = await ManifestSet.LoadAsync();
        foreach ((string role, V1PodTemplateSpec pod) in set.Hosts())
        {
            Dictionary<string, string> environment = set.EnvironmentOf(pod.Spec.Containers.Single());
            Assert.Equal("metadata.name", environment["POD_NAME"]);
            Assert.Equal("metadata.namespace", environment["POD_NAMESPACE"]);
            Assert.Equal("status.podIP", environment["POD_IP"]);
            Assert.Equal("status.podIP", environment["TinyLlm__Cluster__Address"]);
            Assert.Equal("metadata.labels['orleans/serviceId']", environment["ORLEANS_SERVICE_ID"]);
            Assert.Equal("metadata.labels['orleans/clusterId']", environment["ORLEANS_CLUSTER_ID"]);
            Assert.Equal(environment["TinyLlm__Cluster__Id"], pod.Metadata.Labels["orleans/clusterId"]);
            Assert.Equal(environment["TinyLlm__Cluster__Id"], pod.Metadata.Labels["orleans/serviceId"]);
            Assert.Equal("true", environment["TinyLlm__Cluster__Kubernetes"]);
            Assert.Equal(role, environment["TinyLlm__Roles"]);
            Assert.Equal("true", pod.Metadata.Labels["azure.workload.identity/use"]);
        }
        V1PolicyRule rule = Assert.Single(Assert.Single(set.Of<V1Role>()).Value.Rules);
        Assert.Equal(["get", "list", "watch"], rule.Verbs.Order(StringComparer.Ordinal));
        Assert.Equal(["pods"], rule.Resources);
    }

    /// <summary>Only silos reach silo ports, only the gateway the API, only the collector the metrics.</summary>
    [Fact]
    public async Task NetworkPolicies_Together_OpenOnlyWhatIsNamed()
    {
        ManifestSet set = await ManifestSet.LoadAsync();
        Dictionary<string, V1NetworkPolicy> policies = set.Of<V1NetworkPolicy>();

        Assert.Null(policies["closed"].Spec.PodSelector.MatchLabels);
        Assert.Null(policies["closed"].Spec.Ingress);
        Dictionary<string, string> openings = policies.Values.Where(policy => policy.Spec.Ingress is not null && policy.Metadata.Name != "gateway").ToDictionary(
            policy => policy.Spec.Ingress.Single().Ports.Single().Port.Value,
            policy => (policy.Spec.Ingress.Single().FromProperty.Single().PodSelector ?? policy.Spec.Ingress.Single().FromProperty.Single().NamespaceSelector).MatchLabels.Single().Key);
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["silo"] = "app.kubernetes.io/part-of",
                ["http"] = "gateway.networking.k8s.io/gateway-name",
                ["metrics"] = "kubernetes.io/metadata.name",
            },
            openings);
        Assert.All(policies.Values, policy => Assert.Equal(["Ingress"], policy.Spec.PolicyTypes));
    }

    /// <summary>
    /// The API bounds what one address may fail at, and believes the gateway about addresses: as the gateway's Service was by default, all clients had those of the nodes, and one
    /// that guessed tokens would have locked out everybody.
    /// </summary>
    [Fact]
    public async Task Gateway_Clients_KeepTheirAddressesAndTheirPatience()
    {
        ManifestSet set = await ManifestSet.LoadAsync();
        GatewayInfrastructure gateway = set.Of<Gateway>()["tinyllm"].Spec.Infrastructure;

        (string part, string text) = Assert.Single(set.Of<V1ConfigMap>()[gateway.ParametersRef.Name].Data);
        Assert.Equal("service", part);
        V1Service service = k8s.KubernetesYaml.Deserialize<V1Service>(text, strict: true);
        Assert.Equal("Local", service.Spec.ExternalTrafficPolicy);
        (string annotation, string minutes) = Assert.Single(gateway.Annotations);
        Assert.Equal("service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout", annotation);
        Assert.InRange(int.Parse(minutes, CultureInfo.InvariantCulture), 5, 30);
        Assert.NotEqual("", set.EnvironmentOf(set.Hosts()["api"].Spec.Containers.Single())["TinyLlm__Http__TrustedProxies"]);
    }

    /// <summary>An update of a pool with a single accelerator does not wait for a second one, and elsewhere the new pod is there before the old one goes.</summary>
    [Theory]
    [InlineData(false, "1", "0")]
    [InlineData(true, "0", "1")]
    public async Task Updates_OfGpuPods_NeedNoSecondAccelerator(bool hasGpuPool, string surge, string unavailable)
    {
        ManifestSet set = await ManifestSet.LoadAsync(hasGpuPool);

        V1RollingUpdateDeployment update = set.Of<V1Deployment>()["gpu"].Spec.Strategy.RollingUpdate;
        Assert.Equal((surge, unavailable), (update.MaxSurge.Value, update.MaxUnavailable.Value));
        Assert.Equal(hasGpuPool ? "1" : "0", set.Hosts()["gpu"].Spec.Containers.Single().Resources.Limits["nvidia.com/gpu"].ToString());
        Assert.All([set.Of<V1Deployment>()["api"], set.Of<V1Deployment>()["core"]], deployment => Assert.Equal("0", deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.Value));
    }

    /// <summary>The pool of accelerators comes from nothing by what the host counts: the names are those that it writes.</summary>
    [Fact]
    public async Task Scaling_OfGpuPods_GoesByTheHostsMetrics()
    {
        ManifestSet set = await ManifestSet.LoadAsync();
        ScaledObject scaled = Assert.Single(set.Of<ScaledObject>()).Value;
        string document = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "docs/OPERATIONS.md"), TestContext.Current.CancellationToken);

        Assert.Null(set.Of<V1Deployment>()["gpu"].Spec.Replicas); // else every deployment would undo what KEDA did
        string[] names = [.. scaled.Spec.Triggers.SelectMany(trigger => MetricPattern().Matches(trigger.Metadata["query"])).Select(match => match.Value).Distinct()];
        Assert.Equal(["tinyllm_requests_refused_total", "vllm:num_requests_running", "vllm:num_requests_waiting"], names.Order(StringComparer.Ordinal));
        Assert.All(names, name => Assert.Contains($"`{name}`", document, StringComparison.Ordinal));
        Assert.Contains("error=\"no_accelerator\"", scaled.Spec.Triggers[0].Metadata["query"], StringComparison.Ordinal);
    }

    [GeneratedRegex(@"LeaveTime = TimeSpan\.FromSeconds\((\d+)\)")]
    private static partial Regex LeavePattern();

    [GeneratedRegex(@"^\| `(TinyLlm:[\w:]+)` \| (?:`([^`]*)`)? *\| (.+) \|$", RegexOptions.Multiline)]
    private static partial Regex OptionPattern();

    [GeneratedRegex(@"(?:vllm:|tinyllm_)\w+")]
    private static partial Regex MetricPattern();
}
