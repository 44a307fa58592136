using System.Text.RegularExpressions;
using TinyLlm.Tests;
using YamlDotNet.RepresentationModel;

namespace TinyLlm.EndToEnd.Tests.Deployed;

/// <summary>The environment that a role's manifest gives its container, with azd's variables and the pod's own fields in their places.</summary>
internal static partial class ManifestEnvironment
{
    /// <param name="role">The deployment.</param>
    /// <param name="pod">What its pod is called.</param>
    public static Dictionary<string, string> Of(string role, string pod)
    {
        YamlMappingNode container = Documents($"{role}.yaml").Where(document => Text(document["kind"]) == "Deployment")
            .Select(deployment => (YamlMappingNode)((YamlSequenceNode)deployment["spec"]["template"]["spec"]["containers"])[0]).Single();
        Dictionary<string, YamlMappingNode> maps = Documents("01-config.yaml").Where(document => Text(document["kind"]) == "ConfigMap")
            .ToDictionary(map => Text(map["metadata"]["name"]), map => (YamlMappingNode)map["data"]);
        Dictionary<string, string> environment = [];
        foreach (YamlMappingNode source in ((YamlSequenceNode)container["envFrom"]).Cast<YamlMappingNode>().Where(source => source.Children.ContainsKey("configMapRef")))
            foreach ((YamlNode key, YamlNode value) in maps[Text(source["configMapRef"]["name"])].Children) environment[Text(key)] = Text(value);
        foreach (YamlMappingNode variable in ((YamlSequenceNode)container["env"]).Cast<YamlMappingNode>())
        {
            environment[Text(variable["name"])] = Text(variable["valueFrom"]["fieldRef"]["fieldPath"]) switch
            {
                "metadata.name" => pod,
                "status.podIP" => "127.0.0.1",
                _ => "tinyllm", // the namespace and the labels
            };
        }
        return environment;
    }

    private static IEnumerable<YamlMappingNode> Documents(string file)
    {
        string text = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "manifests", file));
        YamlStream stream = [];
        stream.Load(new StringReader(VariablePattern().Replace(text, match => match.Groups[1].Value switch
        {
            "TINYLLM_HOST_NAME" => "127.0.0.1",
            "TINYLLM_SOFT_DELETE_DAYS" => "7",
            string name => $"https://{name.ToLowerInvariant().Replace('_', '-')}.example",
        })));
        return stream.Documents.Select(document => (YamlMappingNode)document.RootNode);
    }

    private static string Text(YamlNode node) => ((YamlScalarNode)node).Value!;

    [GeneratedRegex(@"\$\{(\w+)(?:=\$\{\w+\})?\}")]
    private static partial Regex VariablePattern();
}
