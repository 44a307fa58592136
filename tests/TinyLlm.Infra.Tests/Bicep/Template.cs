using System.Text.Json.Nodes;

namespace TinyLlm.Infra.Tests.Bicep;

/// <summary>A compiled template, its modules flattened.</summary>
internal sealed class Template
{
    private Template(JsonObject root)
    {
        Root = root;
        List<ArmResource> resources = [];
        List<(string, JsonObject)> templates = [];
        Collect("main", root, condition: null, resources, templates);
        Resources = resources;
        Templates = templates;
    }

    public JsonObject Root { get; }

    /// <summary>Every resource that is made, of all modules.</summary>
    public IReadOnlyList<ArmResource> Resources { get; }

    /// <summary>The entry point and every module, by the name of the module.</summary>
    public IReadOnlyList<(string Name, JsonObject Template)> Templates { get; }

    public static async Task<Template> LoadAsync() => new(JsonNode.Parse(await BicepCompiler.Main)!.AsObject());

    public IEnumerable<ArmResource> OfType(string type) => Resources.Where(resource => resource.Type == type);

    public JsonObject Module(string name) => Templates.Single(template => template.Name == name).Template;

    private static void Collect(string name, JsonObject template, string? condition, List<ArmResource> resources, List<(string, JsonObject)> templates)
    {
        templates.Add((name, template));
        foreach ((string symbol, JsonNode? node) in template["resources"]!.AsObject())
        {
            JsonObject resource = node!.AsObject();
            if ((bool?)resource["existing"] == true) continue;
            string type = (string)resource["type"]!;
            if (type == "Microsoft.Resources/deployments") Collect(symbol, resource["properties"]!["template"]!.AsObject(), (string?)resource["condition"], resources, templates);
            else resources.Add(new ArmResource(name, symbol, type, condition, resource));
        }
    }
}
