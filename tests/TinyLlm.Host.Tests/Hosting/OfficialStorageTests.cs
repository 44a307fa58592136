using System.Diagnostics;
using System.Text.Json;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Hosting;

/// <summary>The switch to Orleans' own Azure provider is one package and one constant, and off by default.</summary>
public sealed class OfficialStorageTests
{
    private const string Package = "Microsoft.Orleans.Persistence.AzureStorage";
    private const string Constant = "OFFICIAL_ORLEANS_AZURE_STORAGE";

    [Fact]
    public async Task Switch_On_AddsThePackageAndTheConstantAndNothingElse()
    {
        (HashSet<string> usual, HashSet<string> usualConstants) = await EvaluateAsync();
        (HashSet<string> official, HashSet<string> officialConstants) = await EvaluateAsync("-p:OfficialOrleansAzureStorage=true");

        Assert.DoesNotContain(Package, usual);
        Assert.Equal([Package], official.Except(usual));
        Assert.Empty(usual.Except(official));
        Assert.Equal([Constant], officialConstants.Except(usualConstants));
        string[] uses = [.. Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, "src"), "*.cs", SearchOption.AllDirectories).Where(file => File.ReadAllText(file).Contains(Constant, StringComparison.Ordinal))];
        Assert.Equal("SiloSetup.cs", Path.GetFileName(Assert.Single(uses)));
    }

    private static async Task<(HashSet<string> Packages, HashSet<string> Constants)> EvaluateAsync(params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet",
            ["msbuild", Path.Combine(TestData.RepositoryRoot, "src", "TinyLlm.Host", "TinyLlm.Host.csproj"), "-nologo", "-nodeReuse:false", "-getItem:PackageReference", "-getProperty:DefineConstants", .. arguments])
        {
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output);
        JsonElement json = JsonDocument.Parse(output).RootElement;
        return (
            [.. json.GetProperty("Items").GetProperty("PackageReference").EnumerateArray().Select(item => item.GetProperty("Identity").GetString()!)],
            [.. json.GetProperty("Properties").GetProperty("DefineConstants").GetString()!.Split(';')]);
    }
}
