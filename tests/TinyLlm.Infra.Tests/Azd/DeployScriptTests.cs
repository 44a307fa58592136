using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using TinyLlm.Infra.Tests.Manifests;

namespace TinyLlm.Infra.Tests.Azd;

/// <summary>infra/prepare-deploy.sh against stand-ins that write down how they are called: the images and the certificate that the manifests name.</summary>
public sealed partial class DeployScriptTests
{
    private const string Hook = "prepare-deploy.sh";
    private const string Registry = "tlmexample.azurecr.io";
    private const string Token = "a-token-of-the-registry";

    private const string Log = "#!/bin/sh\necho \"${0##*/} $*\" >>\"$STATE/calls\"\n";

    /// <summary>No certificate is in the cluster, and one that comes is kept. It refuses as long as there is a file of refusals, a line of which goes at each.</summary>
    private const string Kubectl = Log + """
        if [ -s "$STATE/../refusals" ]; then sed -i 1d "$STATE/../refusals"; echo "no"; exit 1; fi
        case "$1 $2" in
          "get secret") exit 1;;
          "create secret") while [ $# -gt 0 ]; do case $1 in --cert) cp "$2" "$STATE/tls.crt";; --key) cp "$2" "$STATE/tls.key";; esac; shift; done;;
        esac
        """;

    /// <summary>A push without the registry's token is refused.</summary>
    private const string Dotnet = Log + $$"""
        [ "$DOTNET_CONTAINER_REGISTRY_UNAME/$DOTNET_CONTAINER_REGISTRY_PWORD" = 00000000-0000-0000-0000-000000000000/{{Token}} ] || { echo unauthorized >&2; exit 1; }
        """;

    [Fact]
    public async Task PrepareDeploy_PoolOfCpus_PublishesOneImageForAllAndSignsACertificate()
    {
        using HookRun hook = await NewAsync();

        (string[] calls, string said) = await RunAsync(hook, "core");

        string publish = Assert.Single(calls, call => call.StartsWith("dotnet publish ", StringComparison.Ordinal));
        Assert.Contains(" -r linux-x64 --self-contained false -t:PublishContainer -p:TorchDevice=cpu ", publish, StringComparison.Ordinal);
        string image = $"{Registry}/tinyllm:{TagPattern().Match(publish).Groups[1].Value}";
        Assert.Equal([$"azd env set TINYLLM_IMAGE {image}", $"azd env set TINYLLM_GPU_IMAGE {image}"], calls.Where(call => call.StartsWith("azd ", StringComparison.Ordinal)));
        Assert.DoesNotContain(Token, string.Join('\n', calls) + said, StringComparison.Ordinal); // an argument is seen by every process of a machine
        using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(Path.Combine(hook.State, "tls.crt"), Path.Combine(hook.State, "tls.key"));
        Assert.True(certificate.MatchesHostname("llm.example.com"));
        Assert.Contains("self-signed", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PrepareDeploy_PoolOfAcceleratorsAndACertificate_PublishesBothImagesAndTakesTheCertificate()
    {
        using HookRun hook = await NewAsync();
        string certificate = Path.Combine(hook.State, "mine.crt"), key = Path.Combine(hook.State, "mine.key");
        foreach (string file in (string[])[certificate, key]) await File.WriteAllTextAsync(file, file, TestContext.Current.CancellationToken);

        (string[] calls, string said) = await RunAsync(hook, "gpu", new() { ["TINYLLM_TLS_CERT"] = certificate, ["TINYLLM_TLS_KEY"] = key });

        string[] published = [.. calls.Where(call => call.StartsWith("dotnet publish ", StringComparison.Ordinal))];
        Assert.Equal(["cpu", "cuda"], published.Select(call => DevicePattern().Match(call).Groups[1].Value));
        string[] tags = [.. published.Select(call => TagPattern().Match(call).Groups[1].Value)];
        Assert.Equal($"{tags[0]}-cuda", tags[1]);
        Assert.Equal(
            [$"azd env set TINYLLM_IMAGE {Registry}/tinyllm:{tags[0]}", $"azd env set TINYLLM_GPU_IMAGE {Registry}/tinyllm:{tags[1]}"],
            calls.Where(call => call.StartsWith("azd ", StringComparison.Ordinal)));
        Assert.Equal(certificate, await File.ReadAllTextAsync(Path.Combine(hook.State, "tls.crt"), TestContext.Current.CancellationToken));
        Assert.DoesNotContain("self-signed", said, StringComparison.Ordinal);
    }

    /// <summary>The first deployment assigns the deployer's role on the cluster a moment before, and the add-ons bring their kinds of objects a while after it is there.</summary>
    [Fact]
    public async Task PrepareDeploy_ClusterThatIsNotReady_IsWaitedForBeforeAnythingIsPublished()
    {
        using HookRun hook = await NewAsync();
        await hook.StandInAsync("sleep", Log);
        await File.WriteAllTextAsync(Path.Combine(hook.State, "..", "refusals"), "1\n2\n3\n", TestContext.Current.CancellationToken);

        (string[] calls, _) = await RunAsync(hook, "core");

        string[] first = ["kubectl auth can-i create deployments --namespace tinyllm", "sleep 10"];
        Assert.Equal([.. first, .. first, .. first, first[0]], calls[..7]);
        // Each kind that the manifests have and that is not Kubernetes' own is there, before an image of gigabytes is made for it.
        ManifestSet set = await ManifestSet.LoadAsync();
        string[] kinds = [.. set.All.Where(item => item.GetType().BaseType is { IsGenericType: true })
            .Select(item => $"{item.Kind.ToLowerInvariant()}s.{item.ApiVersion.Split('/')[0]}").Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(kinds, calls.TakeWhile(call => !call.StartsWith("dotnet ", StringComparison.Ordinal))
            .Where(call => call.StartsWith("kubectl get crd ", StringComparison.Ordinal)).Select(call => call["kubectl get crd ".Length..]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task PrepareDeploy_ClusterThatStaysUnready_SaysWhatItWaitedForAndPublishesNothing()
    {
        using HookRun hook = await NewAsync();
        await hook.StandInAsync("sleep", "#!/bin/sh\n");
        await File.WriteAllTextAsync(Path.Combine(hook.State, "..", "refusals"), string.Concat(Enumerable.Repeat("x\n", 100)), TestContext.Current.CancellationToken);

        (int exitCode, string said) = await hook.RunAsync(Hook, Environment("core"));

        Assert.Equal(1, exitCode);
        Assert.Contains("kubectl auth can-i create deployments --namespace tinyllm did not succeed", said, StringComparison.Ordinal);
        Assert.DoesNotContain("dotnet ", await File.ReadAllTextAsync(Path.Combine(hook.State, "calls"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static async Task<HookRun> NewAsync()
    {
        HookRun hook = new();
        await hook.StandInAsync("kubectl", Kubectl);
        await hook.StandInAsync("dotnet", Dotnet);
        await hook.StandInAsync("azd", Log);
        await hook.StandInAsync("az", Log + $"echo {Token}\n");
        return hook;
    }

    private static async Task<(string[] Calls, string Said)> RunAsync(HookRun hook, string pool, Dictionary<string, string>? more = null)
    {
        (int exitCode, string said) = await hook.RunAsync(Hook, Environment(pool, more));
        Assert.True(exitCode == 0, said);
        return (await File.ReadAllLinesAsync(Path.Combine(hook.State, "calls"), TestContext.Current.CancellationToken), said);
    }

    private static Dictionary<string, string> Environment(string pool, Dictionary<string, string>? more = null) =>
        new(more ?? []) { ["TINYLLM_HOST_NAME"] = "llm.example.com", ["TINYLLM_GPU_POOL"] = pool, ["AZURE_CONTAINER_REGISTRY_ENDPOINT"] = Registry };

    [GeneratedRegex(@"-p:ContainerImageTag=(\S+)")]
    private static partial Regex TagPattern();

    [GeneratedRegex(@"-p:TorchDevice=(\S+)")]
    private static partial Regex DevicePattern();
}
