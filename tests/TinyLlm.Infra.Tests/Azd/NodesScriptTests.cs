namespace TinyLlm.Infra.Tests.Azd;

/// <summary>infra/read-nodes.sh against stand-ins for az and azd: what a deployment is told of the nodes that are there.</summary>
public sealed class NodesScriptTests
{
    private const string Hook = "read-nodes.sh";

    /// <summary>Answers what $POOLS says, or fails with $FAULT.</summary>
    private const string Az = """
        #!/bin/sh
        echo "az $*" >>"$STATE/calls"
        [ -z "${FAULT:-}" ] || { echo "ERROR: $FAULT" >&2; exit 3; }
        printf "$POOLS"
        """;

    private const string Azd = "#!/bin/sh\necho \"azd $*\" >>\"$STATE/calls\"\n";

    [Fact]
    public async Task ReadNodes_BeforeTheFirstDeployment_AsksNobodyAndSaysNone()
    {
        (int exitCode, string said, string[] calls) = await RunAsync([]);

        Assert.True(exitCode == 0, said);
        Assert.Equal(["azd env set TINYLLM_CORE_NODES 0", "azd env set TINYLLM_GPU_NODES 0"], calls);
    }

    [Theory]
    [InlineData("system\t3\ncore\t7\ngpu\t2\n", 7, 2)]
    [InlineData("core\t5\nsystem\t1\n", 5, 0)] // a deployment without accelerators
    public async Task ReadNodes_ClusterThatIsThere_SaysWhatItsPoolsHave(string pools, int core, int gpu)
    {
        (int exitCode, string said, string[] calls) = await RunAsync(Cluster(("POOLS", pools)));

        Assert.True(exitCode == 0, said);
        Assert.StartsWith("az aks nodepool list --subscription 00000000-0000-0000-0000-000000000001 --resource-group rg-tinyllm-dev --cluster-name tinyllm-dev-aks ", calls[0], StringComparison.Ordinal);
        Assert.Equal([$"azd env set TINYLLM_CORE_NODES {core}", $"azd env set TINYLLM_GPU_NODES {gpu}"], calls[1..]);
    }

    /// <summary>As after azd down.</summary>
    [Theory]
    [InlineData("(ResourceGroupNotFound) Resource group 'rg-tinyllm-dev' could not be found.")]
    [InlineData("(ResourceNotFound) The Resource 'Microsoft.ContainerService/managedClusters/tinyllm-dev-aks' was not found.")]
    public async Task ReadNodes_ClusterThatIsGone_SaysNone(string fault)
    {
        (int exitCode, string said, string[] calls) = await RunAsync(Cluster(("FAULT", fault)));

        Assert.True(exitCode == 0, said);
        Assert.Equal(["azd env set TINYLLM_CORE_NODES 0", "azd env set TINYLLM_GPU_NODES 0"], calls[1..]);
    }

    /// <summary>A cluster that can't be asked is not taken for one without nodes, which the deployment would then take away.</summary>
    [Fact]
    public async Task ReadNodes_NoAnswer_EndsTheDeployment()
    {
        (int exitCode, string said, string[] calls) = await RunAsync(Cluster(("FAULT", "Please run 'az login' to setup account.")));

        Assert.Equal(1, exitCode);
        Assert.Contains("az login", said, StringComparison.Ordinal);
        Assert.DoesNotContain(calls, call => call.StartsWith("azd ", StringComparison.Ordinal));
    }

    private static Dictionary<string, string> Cluster((string Name, string Value) more) => new()
    {
        ["AZURE_SUBSCRIPTION_ID"] = "00000000-0000-0000-0000-000000000001",
        ["AZURE_RESOURCE_GROUP"] = "rg-tinyllm-dev",
        ["AZURE_AKS_CLUSTER_NAME"] = "tinyllm-dev-aks",
        [more.Name] = more.Value,
    };

    private static async Task<(int ExitCode, string Said, string[] Calls)> RunAsync(Dictionary<string, string> environment)
    {
        using HookRun hook = new();
        await hook.StandInAsync("az", Az);
        await hook.StandInAsync("azd", Azd);
        (int exitCode, string said) = await hook.RunAsync(Hook, environment);
        return (exitCode, said, await File.ReadAllLinesAsync(Path.Combine(hook.State, "calls"), TestContext.Current.CancellationToken));
    }
}
