using System.Reflection;

namespace TinyLlm.Cli.Tests;

/// <summary>How this test was built: what it starts must be of the same build.</summary>
internal static class TestBuild
{
    /// <summary>Release or Debug.</summary>
    public static string Configuration { get; } = typeof(TestBuild).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
}
