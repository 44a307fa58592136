namespace TinyLlm.Tests;

/// <summary>
/// Finds the reference data that lives beside the checkout (or where <c>TINYLLM_TEST_DATA</c> points) and the repository's own root.
/// A test that needs absent data is skipped with the reason.
/// </summary>
internal static class TestData
{
    /// <summary>The folder that holds TinyLlm.sln.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>Path of <paramref name="relativePath"/> in the reference data; skips the calling test when it is not there.</summary>
    public static string Require(string relativePath)
    {
        string? root = Environment.GetEnvironmentVariable("TINYLLM_TEST_DATA");
        if (string.IsNullOrEmpty(root)) root = Path.Combine(RepositoryRoot, "..", "shared", "data");
        string path = Path.GetFullPath(Path.Combine(root, relativePath));
        Assert.SkipUnless(Path.Exists(path), $"reference data '{relativePath}' is not at '{root}': set TINYLLM_TEST_DATA to a folder that holds it");
        return path;
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "TinyLlm.sln"))) return folder.FullName;
        }
        throw new DirectoryNotFoundException($"TinyLlm.sln is in no folder above '{AppContext.BaseDirectory}'");
    }
}
