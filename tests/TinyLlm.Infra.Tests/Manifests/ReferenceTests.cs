using System.Text.RegularExpressions;
using k8s.Models;
using TinyLlm.Infra.Tests.Bicep;
using TinyLlm.Tests;

namespace TinyLlm.Infra.Tests.Manifests;

/// <summary>Everything that one manifest calls by name is there.</summary>
public sealed partial class ReferenceTests
{
    [Fact]
    public async Task Selectors_AllOfThem_MeetPods()
    {
        ManifestSet set = await ManifestSet.LoadAsync();
        IDictionary<string, string>[] pods = [.. set.Hosts().Values.Select(pod => pod.Metadata.Labels), new Dictionary<string, string> { ["gateway.networking.k8s.io/gateway-name"] = "tinyllm" }];
        Assert.Equal("tinyllm", Assert.Single(set.Of<Gateway>()).Key); // its pods have that label

        List<IDictionary<string, string>> selectors =
        [
            .. set.Of<V1Service>().Values.Select(service => service.Spec.Selector),
            .. set.Of<V1PodDisruptionBudget>().Values.Select(budget => budget.Spec.Selector.MatchLabels),
            .. set.Of<PodMonitor>().Values.Select(monitor => monitor.Spec.Selector.MatchLabels),
            .. set.Of<V1NetworkPolicy>().Values.Where(policy => policy.Spec.PodSelector.MatchLabels is not null).Select(policy => policy.Spec.PodSelector.MatchLabels),
            .. set.Of<V1NetworkPolicy>().Values.SelectMany(policy => policy.Spec.Ingress ?? []).SelectMany(rule => rule.FromProperty ?? []).Where(peer => peer.PodSelector is not null).Select(peer => peer.PodSelector.MatchLabels),
            .. set.Hosts().Values.SelectMany(pod => pod.Spec.TopologySpreadConstraints).Select(spread => spread.LabelSelector.MatchLabels),
        ];

        Assert.InRange(selectors.Count, 12, int.MaxValue);
        Assert.All(selectors, selector => Assert.Contains(pods, labels => selector.All(pair => labels.TryGetValue(pair.Key, out string? value) && value == pair.Value)));
        foreach (V1Deployment deployment in set.Of<V1Deployment>().Values)
            Assert.All(deployment.Spec.Selector.MatchLabels, pair => Assert.Equal(pair.Value, deployment.Spec.Template.Metadata.Labels[pair.Key]));
    }

    [Fact]
    public async Task Ports_AllOfThem_AreThoseOfTheContainers()
    {
        ManifestSet set = await ManifestSet.LoadAsync();
        foreach (V1Container container in set.Hosts().Values.Select(pod => pod.Spec.Containers.Single()))
        {
            Dictionary<string, int> ports = container.Ports.ToDictionary(port => port.Name, port => port.ContainerPort);
            Dictionary<string, string> environment = set.EnvironmentOf(container);
            Assert.Equal(ports["http"], new Uri(environment["ASPNETCORE_URLS"]).Port);
            Assert.Equal($"{ports["silo"]}", environment["TinyLlm__Cluster__SiloPort"]);
            Assert.Equal($"{ports["metrics"]}", environment["TinyLlm__Telemetry__MetricsPort"]);
            Assert.All([container.StartupProbe, container.ReadinessProbe, container.LivenessProbe], probe => Assert.Contains(probe.HttpGet.Port.Value, ports.Keys));
            foreach (V1NetworkPolicy policy in set.Of<V1NetworkPolicy>().Values.Where(policy => policy.Metadata.Name != "gateway"))
                Assert.All((policy.Spec.Ingress ?? []).SelectMany(rule => rule.Ports), port => Assert.Contains(port.Port.Value, ports.Keys));
            Assert.All(set.Of<PodMonitor>().Values.SelectMany(monitor => monitor.Spec.PodMetricsEndpoints), endpoint => Assert.Contains(endpoint.Port, ports.Keys));
        }
        V1Service service = Assert.Single(set.Of<V1Service>()).Value;
        Assert.Equal("http", service.Spec.Ports.Single().TargetPort.Value);
        ObjectReference backend = set.Of<HttpRoute>()["api"].Spec.Rules.Single().BackendRefs.Single();
        Assert.Equal((service.Metadata.Name, service.Spec.Ports.Single().Port), (backend.Name, backend.Port));
        string[] listeners = [.. set.Of<Gateway>()["tinyllm"].Spec.Listeners.Select(listener => listener.Name)];
        Assert.All(set.Of<HttpRoute>().Values.SelectMany(route => route.Spec.ParentRefs), parent => Assert.True(parent.Name == "tinyllm" && listeners.Contains(parent.SectionName)));
    }

    [Fact]
    public async Task ConfigurationSecretsAndVolumes_AllNamed_AreThere()
    {
        ManifestSet set = await ManifestSet.LoadAsync();
        string hooks = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "infra", "prepare-deploy.sh"), TestContext.Current.CancellationToken);
        foreach ((string name, V1PodTemplateSpec pod) in set.Hosts())
        {
            V1Container container = pod.Spec.Containers.Single();
            Assert.All(container.EnvFrom.Where(source => source.ConfigMapRef is not null), source => Assert.Contains(source.ConfigMapRef.Name, set.Of<V1ConfigMap>().Keys));
            Assert.All(container.EnvFrom.Where(source => source.SecretRef is not null), source => Assert.Contains(source.SecretRef.Name, set.Of<V1Secret>().Keys));
            Assert.Contains(pod.Spec.ServiceAccountName, set.Of<V1ServiceAccount>().Keys);
            Assert.Equal(name, pod.Spec.ServiceAccountName);
            Assert.Equal(pod.Spec.Volumes.Select(volume => volume.Name).Order(StringComparer.Ordinal), container.VolumeMounts.Select(mount => mount.Name).Order(StringComparer.Ordinal));
            string data = set.EnvironmentOf(container)["TinyLlm__Data"];
            Assert.Contains(container.VolumeMounts, mount => data.StartsWith(mount.MountPath + "/", StringComparison.Ordinal)); // the root can't be written
        }
        // The one secret that no manifest holds is made before they are applied.
        string certificate = set.Of<Gateway>()["tinyllm"].Spec.Listeners.Single(listener => listener.Tls is not null).Tls!.CertificateRefs.Single().Name;
        Assert.Contains($"kubectl create secret tls {certificate} --namespace tinyllm", hooks, StringComparison.Ordinal);
        ObjectReference service = set.Of<Gateway>()["tinyllm"].Spec.Infrastructure.ParametersRef;
        Assert.Equal(("", "ConfigMap"), (service.Group, service.Kind));
        Assert.Contains(service.Name, set.Of<V1ConfigMap>().Keys);
        Assert.All(set.Of<ScaledObject>().Values, scaled =>
        {
            Assert.Contains(scaled.Spec.ScaleTargetRef.Name, set.Of<V1Deployment>().Keys);
            Assert.All(scaled.Spec.Triggers, trigger => Assert.Contains(trigger.AuthenticationRef.Name, set.Of<TriggerAuthentication>().Keys));
        });
        V1RoleBinding binding = Assert.Single(set.Of<V1RoleBinding>()).Value;
        Assert.Contains(binding.RoleRef.Name, set.Of<V1Role>().Keys);
        Assert.Equal(set.Of<V1ServiceAccount>().Keys.Order(StringComparer.Ordinal), binding.Subjects.Select(subject => subject.Name).Order(StringComparer.Ordinal));
        Assert.All(set.All.Where(item => item is not V1DaemonSet), item => Assert.Equal("tinyllm", item.Metadata.NamespaceProperty));
    }

    /// <summary>What azd fills in is put out by the template or set by a hook.</summary>
    [Fact]
    public async Task Variables_AllOfThem_AreSetBySomebody()
    {
        ManifestSet set = await ManifestSet.LoadAsync();
        Template template = await Template.LoadAsync();
        string hooks = string.Concat(Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, "infra"), "*.sh").Select(File.ReadAllText));

        string[] known = [.. template.Root["outputs"]!.AsObject().Select(output => output.Key), .. SetPattern().Matches(hooks).Select(match => match.Groups[1].Value)];

        Assert.InRange(set.Variables.Count, 10, int.MaxValue);
        Assert.All(set.Variables, variable => Assert.Contains(variable, known));
        // The scripts ask for nothing that nobody sets, either.
        string[] optional = ["TINYLLM_TLS_CERT", "TINYLLM_TLS_KEY", "AZURE_SUBSCRIPTION_ID"]; // the last is azd's own
        Assert.All(AskedPattern().Matches(hooks).Select(match => match.Groups[1].Value).Except(optional), variable => Assert.Contains(variable, known));
    }

    /// <summary>Places where the template and the manifests have to say the same.</summary>
    [Fact]
    public async Task TemplateAndManifests_NamespacePoolsAndNetwork_Agree()
    {
        ManifestSet set = await ManifestSet.LoadAsync();
        Template template = await Template.LoadAsync();
        System.Text.Json.Nodes.JsonObject cluster = Assert.Single(template.OfType("Microsoft.ContainerService/managedClusters")).Properties;

        Assert.Equal("tinyllm", (string?)template.Root["variables"]!["namespace"]);
        Assert.Equal((string?)cluster["networkProfile"]!["podCidr"], set.Of<V1ConfigMap>()["api"].Data["TinyLlm__Http__TrustedProxies"]);
        string[] pools = [.. cluster["agentPoolProfiles"]!.AsArray().Select(pool => (string?)pool!["nodeLabels"]?["tinyllm.dev/pool"]).OfType<string>()];
        Assert.All(set.Hosts().Values, pod => Assert.Contains(pod.Spec.NodeSelector["tinyllm.dev/pool"], pools));
        V1DaemonSet plugin = Assert.Single(set.Of<V1DaemonSet>()).Value;
        System.Text.Json.Nodes.JsonObject gpuPool = Assert.Single(template.OfType("Microsoft.ContainerService/managedClusters/agentPools")).Properties;
        Assert.Equal((string?)gpuPool["nodeLabels"]!["tinyllm.dev/pool"], plugin.Spec.Template.Spec.NodeSelector["tinyllm.dev/pool"]);
        string taint = ((string)gpuPool["nodeTaints"]![0]!).Split('=')[0];
        Assert.All([plugin.Spec.Template.Spec, set.Hosts()["gpu"].Spec], pod => Assert.Contains(pod.Tolerations, toleration => toleration.Key == taint && toleration.Effect == "NoSchedule"));
    }

    [GeneratedRegex(@"(?:azd env set|^ *publish) (\w+)", RegexOptions.Multiline)]
    private static partial Regex SetPattern();

    [GeneratedRegex(@"\$\{?((?:TINYLLM|AZURE)_\w+)")]
    private static partial Regex AskedPattern();
}
