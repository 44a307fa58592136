using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using TinyLlm.Tests;

namespace TinyLlm.Infra.Tests.Manifests;

/// <summary>All manifests, with azd's variables in their places, parsed strictly into the official typed models: a field that a model does not have is an error.</summary>
internal sealed partial class ManifestSet
{
    private static readonly Dictionary<string, Type> s_types = new()
    {
        ["v1/ConfigMap"] = typeof(V1ConfigMap),
        ["v1/Secret"] = typeof(V1Secret),
        ["v1/Service"] = typeof(V1Service),
        ["v1/ServiceAccount"] = typeof(V1ServiceAccount),
        ["apps/v1/Deployment"] = typeof(V1Deployment),
        ["apps/v1/DaemonSet"] = typeof(V1DaemonSet),
        ["policy/v1/PodDisruptionBudget"] = typeof(V1PodDisruptionBudget),
        ["networking.k8s.io/v1/NetworkPolicy"] = typeof(V1NetworkPolicy),
        ["rbac.authorization.k8s.io/v1/Role"] = typeof(V1Role),
        ["rbac.authorization.k8s.io/v1/RoleBinding"] = typeof(V1RoleBinding),
        ["gateway.networking.k8s.io/v1/Gateway"] = typeof(Gateway),
        ["gateway.networking.k8s.io/v1/HTTPRoute"] = typeof(HttpRoute),
        ["keda.sh/v1alpha1/ScaledObject"] = typeof(ScaledObject),
        ["keda.sh/v1alpha1/TriggerAuthentication"] = typeof(TriggerAuthentication),
        ["azmonitoring.coreos.com/v1/PodMonitor"] = typeof(PodMonitor),
    };

    private ManifestSet(List<IKubernetesObject<V1ObjectMeta>> all, HashSet<string> variables)
    {
        All = all;
        Variables = variables;
    }

    public IReadOnlyList<IKubernetesObject<V1ObjectMeta>> All { get; }

    /// <summary>What azd has to put into its place.</summary>
    public IReadOnlySet<string> Variables { get; }

    public static async Task<ManifestSet> LoadAsync()
    {
        List<IKubernetesObject<V1ObjectMeta>> all = [];
        HashSet<string> variables = [];
        foreach (string file in Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, "manifests")).Order(StringComparer.Ordinal))
        {
            Assert.EndsWith(".yaml", file, StringComparison.Ordinal);
            string text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            // azd fills in what is called a template, and applies everything else as it is.
            if (file.EndsWith(".tmpl.yaml", StringComparison.Ordinal)) text = Substitute(text, variables);
            Assert.False(text.Contains("{{", StringComparison.Ordinal) || text.Contains("${", StringComparison.Ordinal), $"{Path.GetFileName(file)} has a variable that azd does not fill in");
            foreach (string document in DocumentPattern().Split(text).Where(part => part.Trim().Length > 0))
            {
                string type = $"{ApiVersionPattern().Match(document).Groups[1].Value}/{KindPattern().Match(document).Groups[1].Value}";
                Assert.True(s_types.ContainsKey(type), $"{Path.GetFileName(file)} has a {type}, which no schema describes");
                object parsed = KubernetesYaml.LoadAllFromString(document, s_types, strict: true).Single();
                all.Add((IKubernetesObject<V1ObjectMeta>)parsed);
            }
        }
        return new ManifestSet(all, variables);
    }

    /// <summary>The objects of a type, by name.</summary>
    public Dictionary<string, T> Of<T>()
        where T : IKubernetesObject<V1ObjectMeta> => All.OfType<T>().ToDictionary(item => item.Metadata.Name);

    /// <summary>The deployments of the host.</summary>
    public Dictionary<string, V1PodTemplateSpec> Hosts() => Of<V1Deployment>().ToDictionary(item => item.Key, item => item.Value.Spec.Template);

    /// <summary>What a container's environment is, by the maps and secrets that it names.</summary>
    public Dictionary<string, string> EnvironmentOf(V1Container container)
    {
        Dictionary<string, string> environment = [];
        foreach (V1EnvFromSource source in container.EnvFrom ?? [])
        {
            if (source.ConfigMapRef is { } map) foreach ((string key, string value) in Of<V1ConfigMap>()[map.Name].Data) environment[key] = value;
            if (source.SecretRef is { } secret) foreach ((string key, string value) in Of<V1Secret>()[secret.Name].StringData ?? new Dictionary<string, string>()) environment[key] = value;
        }
        foreach (V1EnvVar variable in container.Env ?? []) environment[variable.Name] = variable.Value ?? variable.ValueFrom.FieldRef.FieldPath;
        return environment;
    }

    /// <summary>As azd does it: {{.Env.NAME}} is the value of its environment.</summary>
    private static string Substitute(string text, HashSet<string> variables) => VariablePattern().Replace(text, match =>
    {
        variables.Add(match.Groups[1].Value);
        return match.Groups[1].Value switch
        {
            "TINYLLM_GPU_POOL" => "core",
            "TINYLLM_GPUS_PER_POD" => "0",
            "TINYLLM_GPU_MIN_PODS" => "1",
            "TINYLLM_GPU_MAX_PODS" => "3",
            "TINYLLM_SOFT_DELETE_DAYS" => "7",
            "TINYLLM_HOST_NAME" => "llm.example.com",
            string name when name.EndsWith("_URI", StringComparison.Ordinal) || name.EndsWith("_ENDPOINT", StringComparison.Ordinal) => $"https://{name.ToLowerInvariant().Replace('_', '-')}.example.com/",
            string name => name.ToLowerInvariant().Replace('_', '-'),
        };
    });

    [GeneratedRegex(@"\{\{\.Env\.(\w+)\}\}")]
    private static partial Regex VariablePattern();

    [GeneratedRegex(@"^---\s*$", RegexOptions.Multiline)]
    private static partial Regex DocumentPattern();

    [GeneratedRegex(@"^apiVersion: (\S+)", RegexOptions.Multiline)]
    private static partial Regex ApiVersionPattern();

    [GeneratedRegex(@"^kind: (\S+)", RegexOptions.Multiline)]
    private static partial Regex KindPattern();
}
