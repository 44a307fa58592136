using System.Text.RegularExpressions;

namespace TinyLlm.Infra.Tests.Packages;

/// <summary>What the build refuses and what a restore says, by the files at the root that every project has: shown on a project that is at fault.</summary>
public sealed partial class BuildRulesTests : IDisposable
{
    private const string Project = "src/Probe";

    /// <summary>One fault for each line: of null, of a cipher that is broken, of style that is a matter of speed.</summary>
    private const string Faults = """
        using System.Security.Cryptography;

        namespace Probe;

        /// <summary>Faults.</summary>
        public static class Faults
        {
            /// <summary>Null.</summary>
            public static string Nothing(string? text) => text;

            /// <summary>Broken.</summary>
            public static byte[] Hash(byte[] bytes) => MD5.HashData(bytes);

            /// <summary>Slow.</summary>
            public static bool Starts(string text) => text.StartsWith("a");
        }
        """;

    private readonly RootCopy _copy = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _copy.Dispose();

    [Fact]
    public async Task Build_WarningsAndAnalyzers_AreErrors()
    {
        await _copy.WriteAsync($"{Project}/Probe.csproj", """<Project Sdk="Microsoft.NET.Sdk" />""");
        await _copy.WriteAsync($"{Project}/Faults.cs", Faults);

        (int code, string output) = await _copy.DotnetAsync("build", Project, "-c", "Release");

        Assert.NotEqual(0, code);
        Assert.Equal(["CA1866", "CA5351", "CS8603"], ErrorPattern().Matches(output).Select(match => match.Groups[1].Value).Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>A feed that knows a fault of a package that nobody asked for by name, but one of ours needs: it is told, and stops nobody's build.</summary>
    [Fact]
    public async Task Restore_FeedKnowsAVulnerabilityOfAPackagesPackage_IsTold()
    {
        using VulnerabilityFeed feed = new("xunit.v3.common");
        await _copy.WriteAsync("nuget.config", $"""
            <configuration>
              <auditSources>
                <clear />
                <add key="known" value="{feed.Index}" allowInsecureConnections="true" />
              </auditSources>
            </configuration>
            """);
        await _copy.WriteAsync($"{Project}/Probe.csproj", """
            <Project Sdk="Microsoft.NET.Sdk">
              <ItemGroup>
                <PackageReference Include="xunit.v3" />
              </ItemGroup>
            </Project>
            """);

        (int code, string output) = await _copy.DotnetAsync("restore", Project, "--force");

        Assert.True(code == 0, output);
        Assert.Matches("warning NU1901: .*xunit.v3.common.* low severity", output);
    }

    [GeneratedRegex(@"Faults\.cs\([0-9,]+\): error ([A-Z]+[0-9]+)")]
    private static partial Regex ErrorPattern();
}
