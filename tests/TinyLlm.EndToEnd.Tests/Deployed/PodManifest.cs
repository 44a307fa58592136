using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using TinyLlm.Tests;
using YamlDotNet.RepresentationModel;

namespace TinyLlm.EndToEnd.Tests.Deployed;

/// <summary>What a role's manifest says of its pod, with azd's variables and the pod's own fields in their places.</summary>
internal sealed partial class PodManifest
{
    private readonly string _hostName;
    private readonly YamlMappingNode _pod;
    private readonly YamlMappingNode _container;

    /// <param name="role">The deployment.</param>
    /// <param name="hostName">The name that clients know the API by.</param>
    public PodManifest(string role, string hostName)
    {
        _hostName = hostName;
        YamlMappingNode deployment = Documents($"{role}.tmpl.yaml").Single(document => Text(document["kind"]) == "Deployment");
        _pod = (YamlMappingNode)deployment["spec"]["template"]["spec"];
        _container = (YamlMappingNode)((YamlSequenceNode)_pod["containers"]).Single();
    }

    /// <summary>The user that the container runs as.</summary>
    public string User => Text(_pod["securityContext"]["runAsUser"]);

    /// <summary>The folders that can be written.</summary>
    public IEnumerable<string> Volumes => Items(_container, "volumeMounts").Select(mount => Text(mount["mountPath"]));

    /// <summary>Everything that the platform asks the pod.</summary>
    public IEnumerable<PodProbe> Probes
    {
        get
        {
            Dictionary<string, int> ports = Items(_container, "ports").ToDictionary(port => Text(port["name"]), port => int.Parse(Text(port["containerPort"]), CultureInfo.InvariantCulture));
            foreach (string kind in (string[])["startupProbe", "readinessProbe", "livenessProbe"])
            {
                YamlMappingNode ask = (YamlMappingNode)_container[kind]["httpGet"];
                string? host = Items(ask, "httpHeaders").Where(header => Text(header["name"]) == "Host").Select(header => Text(header["value"])).SingleOrDefault();
                yield return new PodProbe(kind, ports[Text(ask["port"])], Text(ask["path"]), host);
            }
            foreach (YamlMappingNode scraped in Items((YamlMappingNode)Documents("metrics.yaml").Single()["spec"], "podMetricsEndpoints"))
                yield return new PodProbe("scrape", ports[Text(scraped["port"])], Text(scraped["path"]), null);
        }
    }

    /// <summary>The container's environment.</summary>
    /// <param name="pod">What the pod is called.</param>
    /// <param name="address">Its address.</param>
    public Dictionary<string, string> Environment(string pod, IPAddress address)
    {
        Dictionary<(string Kind, string Name), YamlMappingNode> documents = Documents("01-config.tmpl.yaml").ToDictionary(map => (Text(map["kind"]), Text(map["metadata"]["name"])));
        Dictionary<string, string> environment = [];
        foreach (YamlMappingNode source in Items(_container, "envFrom"))
        {
            (string kind, string values) = source.Children.ContainsKey("configMapRef") ? ("ConfigMap", "data") : ("Secret", "stringData");
            string name = Text(source.Children.Values.Single()["name"]);
            if (!documents[(kind, name)].Children.TryGetValue(values, out YamlNode? data)) continue;
            foreach ((YamlNode key, YamlNode value) in ((YamlMappingNode)data).Children) environment[Text(key)] = Text(value);
        }
        foreach (YamlMappingNode variable in Items(_container, "env"))
        {
            environment[Text(variable["name"])] = Text(variable["valueFrom"]["fieldRef"]["fieldPath"]) switch
            {
                "metadata.name" => pod,
                "status.podIP" => $"{address}",
                "metadata.namespace" or "metadata.labels['orleans/serviceId']" or "metadata.labels['orleans/clusterId']" => "tinyllm",
                string field => throw new NotSupportedException($"{Text(variable["name"])} is the field '{field}', which this test does not know: add it here"),
            };
        }
        return environment;
    }

    private IEnumerable<YamlMappingNode> Documents(string file)
    {
        string text = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "manifests", file));
        YamlStream stream = [];
        stream.Load(new StringReader(VariablePattern().Replace(text, match => match.Groups[1].Value switch
        {
            "TINYLLM_HOST_NAME" => _hostName,
            "TINYLLM_SOFT_DELETE_DAYS" => "7",
            string name => $"https://{name.ToLowerInvariant().Replace('_', '-')}.example",
        })));
        return stream.Documents.Select(document => (YamlMappingNode)document.RootNode);
    }

    private static IEnumerable<YamlMappingNode> Items(YamlMappingNode node, string name) =>
        node.Children.TryGetValue(name, out YamlNode? items) ? ((YamlSequenceNode)items).Cast<YamlMappingNode>() : [];

    private static string Text(YamlNode node) => ((YamlScalarNode)node).Value!;

    [GeneratedRegex(@"\{\{\.Env\.(\w+)\}\}")]
    private static partial Regex VariablePattern();
}
