using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace TinyLlm.Infra.Tests.Bicep;

/// <summary>What everything is called stays within what Azure accepts, whatever the environment is called: a name that is too long fails when half of a deployment is made.</summary>
public sealed partial class NameTests
{
    private const int SuffixLength = 13; // of uniqueString

    /// <summary>The longest names by type of resource, as Azure's naming rules have them; of data collection endpoints and monitoring accounts, what its own templates cut theirs to.</summary>
    private static readonly Dictionary<string, int> s_longest = new()
    {
        ["Microsoft.Resources/resourceGroups"] = 90,
        ["Microsoft.ManagedIdentity/userAssignedIdentities"] = 128,
        ["Microsoft.Storage/storageAccounts"] = 24,
        ["Microsoft.KeyVault/vaults"] = 24,
        ["Microsoft.Cache/redisEnterprise"] = 60,
        ["Microsoft.ContainerRegistry/registries"] = 50,
        ["Microsoft.OperationalInsights/workspaces"] = 63,
        ["Microsoft.Monitor/accounts"] = 44,
        ["Microsoft.Dashboard/grafana"] = 23,
        ["Microsoft.ContainerService/managedClusters"] = 63,
        ["Microsoft.ContainerService/managedClusters/agentPools"] = 12,
        ["Microsoft.Insights/dataCollectionEndpoints"] = 44,
        ["Microsoft.Insights/dataCollectionRules"] = 64,
        ["Microsoft.Insights/dataCollectionRuleAssociations"] = 64,
    };

    [Fact]
    public async Task Names_OfTheLongestEnvironment_AreAccepted()
    {
        Template template = await Template.LoadAsync();
        Dictionary<string, int> named = Named(template);

        List<string> seen = [];
        foreach (ArmResource resource in template.Resources.Where(resource => s_longest.ContainsKey(resource.Type)))
        {
            string name = (string)resource.Json["name"]!;
            seen.Add(resource.Type);
            Assert.True(LengthOf(name, named) <= s_longest[resource.Type], $"{resource.Symbol}: {name} may have {LengthOf(name, named)} characters, and at most {s_longest[resource.Type]} are accepted");
        }
        Assert.Equal(s_longest.Keys.Order(StringComparer.Ordinal), seen.Distinct().Order(StringComparer.Ordinal));

        // Two more of the cluster's: its group of nodes, which AKS would make up of three names, and the first label of its address.
        JsonObject cluster = Assert.Single(template.OfType("Microsoft.ContainerService/managedClusters")).Properties;
        Assert.InRange(LengthOf((string)cluster["nodeResourceGroup"]!, named), 1, 80);
        Assert.InRange(LengthOf((string)cluster["dnsPrefix"]!, named), 1, 54);
        // Others of the same name and type would be one resource.
        Assert.Distinct(template.Resources.Where(resource => s_longest.ContainsKey(resource.Type)).Select(resource => (resource.Type, (string)resource.Json["name"]!)));
    }

    /// <summary>azd accepts names of environments with characters that the names of some resources must not have: they are refused before anything is made.</summary>
    [Fact]
    public async Task EnvironmentName_WithMoreThanLettersDigitsAndHyphens_IsRefused()
    {
        JsonObject variables = (await Template.LoadAsync()).Root["variables"]!.AsObject();

        Assert.Contains("createArray('_', '.', '(', ')')", (string)variables["isPlainName"]!, StringComparison.Ordinal);
        Assert.Matches(@"^\[if\(variables\('isPlainName'\), format\('tinyllm-\{0\}', parameters\('environmentName'\)\), fail\(", (string)variables["prefix"]!);
    }

    /// <summary>How long each of the names may be that one function makes for all modules.</summary>
    private static Dictionary<string, int> Named(Template template)
    {
        int longest = (int)template.Root["parameters"]!["environmentName"]!["maxLength"]!;
        Dictionary<string, int> known = new() { ["prefix"] = "tinyllm-".Length + longest, ["suffix"] = SuffixLength };
        JsonObject made = template.Root["functions"]![0]!["members"]!["namesOf"]!["output"]!["value"]!.AsObject();
        return made.Select(name => KeyValuePair.Create(name.Key, LengthOf((string)name.Value!, known))).Append(KeyValuePair.Create("prefix", known["prefix"])).ToDictionary();
    }

    /// <summary>Of a literal, one of the known values, or a literal around one; of a child its own, which is a literal.</summary>
    private static int LengthOf(string expression, Dictionary<string, int> known)
    {
        if (!expression.StartsWith('[')) return expression.Length;
        if (ChildPattern().Match(expression) is { Success: true } child) return child.Groups[1].Length;
        Match match = FormatPattern().Match(expression);
        string literal = match.Success ? match.Groups[1].Value.Replace("{0}", "", StringComparison.Ordinal) : "";
        string value = match.Success ? match.Groups[2].Value : expression[1..^1];
        Match reference = ReferencePattern().Match(value);
        string name = reference.Groups[1].Value;
        Assert.True(reference.Success, $"{expression} is none of the names that can be measured");
        return literal.Length + (known.TryGetValue(name, out int length) ? length : throw new KeyNotFoundException($"{expression}: '{name}' is not known"));
    }

    [GeneratedRegex(@"^\[format\('\{0\}/\{1\}', .+, '([^']+)'\)\]$")]
    private static partial Regex ChildPattern();

    [GeneratedRegex(@"^\[format\('([^']*)', (.+)\)\]$")]
    private static partial Regex FormatPattern();

    [GeneratedRegex(@"^(?:parameters\('named'\)\.|parameters\('|variables\(')(\w+)(?:'\))?$")]
    private static partial Regex ReferencePattern();
}
