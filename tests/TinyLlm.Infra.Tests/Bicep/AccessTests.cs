using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace TinyLlm.Infra.Tests.Bicep;

/// <summary>Who may do what in a deployment: exactly this, and nothing else.</summary>
public sealed partial class AccessTests
{
    private static readonly string[] s_expected =
    [
        "apiIdentity: Storage Blob Data Contributor on account",
        "coreIdentity: Storage Blob Data Contributor on account",
        "gpuIdentity: Storage Blob Data Contributor on account",
        "coreIdentity: Storage Blob Data Contributor on keyAccount",
        "apiIdentity: Key Vault Secrets User on apiVault",
        "coreIdentity: Key Vault Secrets User on coreVault",
        "gpuIdentity: Key Vault Secrets User on gpuVault",
        "kubeletPrincipalId: AcrPull on registry",
        "scalerIdentity: Monitoring Data Reader on metrics",
        "grafanaPrincipalId: Monitoring Data Reader on metrics",
        "deployerPrincipalId: Key Vault Secrets Officer on apiVault",
        "deployerPrincipalId: Key Vault Secrets Officer on coreVault",
        "deployerPrincipalId: Key Vault Secrets Officer on gpuVault",
        "deployerPrincipalId: AcrPush on registry",
        "deployerPrincipalId: Azure Kubernetes Service RBAC Cluster Admin on cluster",
        "deployerPrincipalId: Grafana Admin on grafana",
    ];

    /// <summary>Azure's built-in roles, by the ids in its documentation.</summary>
    private static readonly Dictionary<string, string> s_builtIn = new()
    {
        ["ba92f5b4-2d11-453d-a403-e96b0029c9fe"] = "Storage Blob Data Contributor",
        ["4633458b-17de-408a-b874-0445c86b69e6"] = "Key Vault Secrets User",
        ["b86a8fe4-44ce-4948-aee5-eccb2c155cd7"] = "Key Vault Secrets Officer",
        ["7f951dda-4ed3-4680-a7ca-43fe172d538d"] = "AcrPull",
        ["8311e382-0749-4cb8-b61a-304f252e45ec"] = "AcrPush",
        ["b0d8363b-8ddd-447d-831f-62ca05bff136"] = "Monitoring Data Reader",
        ["b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"] = "Azure Kubernetes Service RBAC Cluster Admin",
        ["22926164-76b3-42b3-bc55-97df8dab3e41"] = "Grafana Admin",
    };

    [Fact]
    public async Task RoleAssignments_AllOfThem_AreThoseListed()
    {
        Template template = await Template.LoadAsync();
        JsonObject roles = template.Module("access")["variables"]!["roles"]!.AsObject();

        IEnumerable<string> actual = template.OfType("Microsoft.Authorization/roleAssignments").Select(assignment =>
        {
            string principal = PrincipalPattern().Match((string)assignment.Properties["principalId"]!).Groups[1].Value;
            string role = (string)roles[RolePattern().Match((string)assignment.Properties["roleDefinitionId"]!).Groups[1].Value]!;
            string scope = ScopePattern().Match((string)assignment.Json["scope"]!).Groups[1].Value;
            return $"{principal}: {s_builtIn[role]} on {scope}";
        });

        Assert.Equal(s_expected.Order(StringComparer.Ordinal), actual.Order(StringComparer.Ordinal));
    }

    /// <summary>A role's identity is that of its own service account, and of no other.</summary>
    [Fact]
    public async Task Federation_EveryIdentity_IsOfOneServiceAccount()
    {
        Template template = await Template.LoadAsync();

        Dictionary<string, string> subjects = template.OfType("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials")
            .ToDictionary(credential => IdentityPattern().Match((string)credential.Json["name"]!).Groups[1].Value, credential => (string)credential.Properties["subject"]!);

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["api"] = "[format('system:serviceaccount:{0}:api', parameters('namespace'))]",
                ["core"] = "[format('system:serviceaccount:{0}:core', parameters('namespace'))]",
                ["gpu"] = "[format('system:serviceaccount:{0}:gpu', parameters('namespace'))]",
                ["scaler"] = "system:serviceaccount:kube-system:keda-operator",
            },
            subjects);
        Assert.Equal(4, template.OfType("Microsoft.ManagedIdentity/userAssignedIdentities").Count());
    }

    /// <summary>A secret is written to a vault, never into an output or a default, where whoever may read the deployment reads it.</summary>
    [Fact]
    public async Task Secrets_OutputsAndDefaults_HoldNone()
    {
        Template template = await Template.LoadAsync();

        foreach ((string name, JsonObject module) in template.Templates)
        {
            foreach ((string output, JsonNode? value) in module["outputs"]?.AsObject() ?? [])
            {
                Assert.DoesNotMatch("listKeys|list[A-Z]\\w*\\(|secureString|secureObject|password", value!.ToJsonString());
                Assert.False(SecretPattern().IsMatch(output), $"output {output} of {name} sounds like a secret");
            }
            foreach ((string parameter, JsonNode? value) in module["parameters"]?.AsObject() ?? [])
                Assert.False(SecretPattern().IsMatch(parameter) || value!["defaultValue"] is JsonValue v && v.TryGetValue(out string? text) && text.Length > 30, $"parameter {parameter} of {name} sounds like a secret, or has one for its default");
        }
        ArmResource[] secrets = [.. template.OfType("Microsoft.KeyVault/vaults/secrets")];
        ArmResource written = Assert.Single(secrets);
        Assert.Contains("listKeys", (string)written.Properties["value"]!, StringComparison.Ordinal);
        // Nothing else asks for a key.
        Assert.Equal([written], template.Resources.Where(resource => resource.Json.ToJsonString().Contains("listKeys", StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"(\w+)'\)")]
    private static partial Regex PrincipalPattern();

    [GeneratedRegex(@"variables\('roles'\)\.(\w+)")]
    private static partial Regex RolePattern();

    [GeneratedRegex(@"parameters\('named'\)\.(\w+)")]
    private static partial Regex ScopePattern();

    [GeneratedRegex(@"\.(\w+)Identity")]
    private static partial Regex IdentityPattern();

    [GeneratedRegex("(?i)secret|password|connectionString|accessKey|sharedKey|apiKey|credential")]
    private static partial Regex SecretPattern();
}
