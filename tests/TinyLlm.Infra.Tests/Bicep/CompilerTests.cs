using System.Text.Json;
using System.Text.Json.Nodes;
using TinyLlm.Tests;

namespace TinyLlm.Infra.Tests.Bicep;

/// <summary>The real compiler over every Bicep file.</summary>
public sealed class CompilerTests
{
    [Theory]
    [InlineData("infra")]
    [InlineData("bicep")]
    public async Task Lint_EveryFile_SaysNothing(string folder)
    {
        (int exitCode, string said) = await BicepCompiler.LintAsync(folder);

        Assert.Equal("", said);
        Assert.Equal(0, exitCode);
    }

    /// <summary>The rules are in force: a folder with a file that breaks one is refused, by the configuration at the top of the repository.</summary>
    [Fact]
    public async Task Lint_FileWithAnUnusedParameter_Fails()
    {
        string folder = $"tests/broken-{Guid.NewGuid():N}";
        string path = Directory.CreateDirectory(Path.Combine(TestData.RepositoryRoot, folder)).FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(path, "fine.bicep"), "output one int = 1\n", TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(path, "broken.bicep"), "param nobodyAsks string\n", TestContext.Current.CancellationToken);
            (int exitCode, string said) = await BicepCompiler.LintAsync(folder);

            Assert.Contains("Error no-unused-params", said, StringComparison.Ordinal);
            Assert.NotEqual(0, exitCode);
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    [Fact]
    public async Task Configuration_EveryRule_IsAnError()
    {
        string text = await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "bicepconfig.json"), TestContext.Current.CancellationToken);
        JsonNode core = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip })!["analyzers"]!["core"]!;

        Assert.True((bool)core["enabled"]!);
        Assert.InRange(core["rules"]!.AsObject().Count, 40, int.MaxValue);
        Assert.All(core["rules"]!.AsObject(), rule => Assert.Equal("error", (string?)rule.Value!["level"]));
    }

    [Fact]
    public async Task Build_EveryModule_IsPartOfTheEntryPoint()
    {
        Template template = await Template.LoadAsync();
        // Two files hold types and values only, and become part of whoever imports them.
        IEnumerable<string> modules = BicepCompiler.Files.Select(file => Path.GetFileNameWithoutExtension(file)!).Except(["names", "roles", "sizes"]);

        Assert.Equal(modules.Order(StringComparer.Ordinal), template.Templates.Select(module => module.Name).Order(StringComparer.Ordinal));
    }
}
