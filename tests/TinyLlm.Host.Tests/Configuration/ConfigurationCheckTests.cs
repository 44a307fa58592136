using Microsoft.Extensions.Configuration;
using TinyLlm.Host.Configuration;
using TinyLlm.Host.Hosting;

namespace TinyLlm.Host.Tests.Configuration;

/// <summary>--check-config: what is set, whence, and what is wrong with it. Sets variables of the process, which every host that starts would take for its own.</summary>
[Collection(RunsAlone.Name)]
public sealed class ConfigurationCheckTests
{
    [Fact]
    public void Run_NothingSet_PrintsEveryDefaultAndIsValid()
    {
        (int exitCode, string output, string error) = Check();

        Assert.Equal(0, exitCode);
        Assert.Equal("", error);
        Assert.Contains("urls = http://127.0.0.1:5080  [default]", output, StringComparison.Ordinal);
        Assert.Contains("TinyLlm:Cluster:MissedProbes = 5  [default]", output, StringComparison.Ordinal);
        Assert.Contains("TinyLlm:Engine:MaxBatch = 64  [default]", output, StringComparison.Ordinal);
        Assert.All(OptionTable.All, option => Assert.Contains($"\n{option.Key} = ", output, StringComparison.Ordinal));
    }

    [Fact]
    public void Run_Secrets_AreMasked()
    {
        (int exitCode, string output, string error) = Check(
            "--TinyLlm:Cluster:Redis", "redis:6379,password=hush",
            "--TinyLlm:Storage:ConnectionString", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=aHVzaA==;EndpointSuffix=core.windows.net");

        Assert.Equal("", error);
        Assert.Equal(0, exitCode);
        Assert.DoesNotContain("hush", output, StringComparison.Ordinal);
        Assert.DoesNotContain("aHVzaA", output, StringComparison.Ordinal);
        Assert.Contains("TinyLlm:Cluster:Redis = (secret)  [command line]", output, StringComparison.Ordinal);
    }

    /// <summary>The command line goes before the environment, and each says so.</summary>
    [Fact]
    public void Run_ValuesFromTwoPlaces_NamesThePlace()
    {
        Environment.SetEnvironmentVariable("TinyLlm__Threads", "3");
        Environment.SetEnvironmentVariable("TinyLlm__Engine__MaxBatch", "7");
        try
        {
            (_, string output, _) = Check("--TinyLlm:Engine:MaxBatch", "9");

            Assert.Contains("TinyLlm:Threads = 3  [environment]", output, StringComparison.Ordinal);
            Assert.Contains("TinyLlm:Engine:MaxBatch = 9  [command line]", output, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable("TinyLlm__Threads", null);
            Environment.SetEnvironmentVariable("TinyLlm__Engine__MaxBatch", null);
        }
    }

    /// <summary>A manifest that names every option has something to write where there is nothing to say.</summary>
    [Fact]
    public void Run_OptionsWithoutADefaultEmpty_AreAsNotSet()
    {
        string[] empty = [.. OptionTable.All.Where(option => option.Default.Length == 0).SelectMany(option => (string[])[$"--{option.Key}", ""])];
        Assert.InRange(empty.Length, 20, int.MaxValue);

        (int exitCode, _, string error) = Check(empty);

        Assert.Equal((0, ""), (exitCode, error));
        foreach ((string section, Type type) in OptionTable.Sections)
        {
            object bound = Activator.CreateInstance(type)!;
            TinyLlmApplication.Configure(HostArguments.Parse(empty)).Configuration.GetSection(section).Bind(bound);
            // Those that are text may be empty or null: whoever reads them takes both for none.
            Assert.All(type.GetProperties().Where(property => OptionTable.All.Any(option => option.Key == $"{section}:{property.Name}" && option.Default.Length == 0)),
                property => Assert.Contains(property.GetValue(bound), (object?[])[null, ""]));
        }
    }

    [Fact]
    public void Run_SeveralMistakes_SaysThemAllAtOnce()
    {
        (int exitCode, _, string error) = Check("--device", "abacus", "--TinyLlm:Limits:MaxModels", "0", "--TinyLlm:Engine:MaxBatsch", "5", "--TinyLlm:Access:Oidc:Issuer", "https://issuer.example");

        Assert.Equal(2, exitCode);
        Assert.Equal(4, error.Split("error: ").Length - 1);
        Assert.Contains("error: Device: must be auto, cpu, cuda or none.", error, StringComparison.Ordinal);
        Assert.Contains("MaxModels", error, StringComparison.Ordinal);
        Assert.Contains("error: TinyLlm:Engine:MaxBatsch: there is no such option", error, StringComparison.Ordinal);
        Assert.Contains("Oidc:Audience", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Roles: gpu alone serves nobody", "--roles", "gpu")]
    [InlineData("Cluster:Address: 'nowhere' is no IP address.", "--TinyLlm:Cluster:Address", "nowhere")]
    [InlineData("Storage:AccountUri: must be an https address", "--TinyLlm:Storage:AccountUri", "http://account.example")]
    [InlineData("the section 'TinyLlm:Limits' of the configuration can't be read", "--TinyLlm:Limits:MaxModels", "many")]
    public void Run_Mistake_IsTheStartsOwnMessage(string message, params string[] arguments)
    {
        (int exitCode, _, string error) = Check(arguments);

        Assert.Equal(2, exitCode);
        Assert.Contains($"error: {message}", error, StringComparison.Ordinal);
    }

    private static (int ExitCode, string Output, string Error) Check(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        int exitCode = ConfigurationCheck.Run(HostArguments.Parse(["--check-config", .. arguments]), output, error);
        return (exitCode, output.ToString(), error.ToString());
    }
}
