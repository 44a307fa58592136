using System.Reflection;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>How this test was built: the programs that it starts are of the same build.</summary>
internal static class TestBuild
{
    /// <summary>Release or Debug.</summary>
    public static string Configuration { get; } = typeof(TestBuild).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    /// <summary>Path of a program's file in its project's output.</summary>
    public static string Program(string project, string file)
    {
        string path = Path.Combine(TestData.RepositoryRoot, "src", project, "bin", Configuration, "net10.0", file);
        return File.Exists(path) ? path : throw new FileNotFoundException($"build {project} in {Configuration} first: there is no '{path}'");
    }
}
