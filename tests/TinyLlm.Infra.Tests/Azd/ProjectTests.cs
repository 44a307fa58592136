using k8s.Models;
using TinyLlm.Infra.Tests.Manifests;
using TinyLlm.Tests;
using YamlDotNet.RepresentationModel;

namespace TinyLlm.Infra.Tests.Azd;

/// <summary>azure.yaml: what azd is told of the repository is there.</summary>
public sealed class ProjectTests
{
    [Fact]
    public async Task Project_WhatItNames_IsThere()
    {
        YamlStream stream = [];
        stream.Load(new StringReader(await File.ReadAllTextAsync(Path.Combine(TestData.RepositoryRoot, "azure.yaml"), TestContext.Current.CancellationToken)));
        YamlMappingNode project = (YamlMappingNode)Assert.Single(stream.Documents).RootNode;
        ManifestSet set = await ManifestSet.LoadAsync();

        YamlMappingNode infra = (YamlMappingNode)project["infra"];
        Assert.Equal("bicep", Text(infra["provider"]));
        foreach (string kind in (string[])["bicep", "parameters.json"]) Assert.True(File.Exists(Path.Combine(TestData.RepositoryRoot, Text(infra["path"]), $"{Text(infra["module"])}.{kind}")));

        (YamlNode name, YamlNode service) = Assert.Single(((YamlMappingNode)project["services"]).Children);
        Assert.Equal(Text(project["name"]), Text(name));
        Assert.Equal("aks", Text(service["host"]));
        // With a project azd would look for a way of its own to make an image, and with none paths are those of the repository.
        Assert.DoesNotContain("project", ((YamlMappingNode)service).Children.Keys.Select(Text));
        YamlNode cluster = service["k8s"];
        Assert.True(Directory.Exists(Path.Combine(TestData.RepositoryRoot, Text(cluster["deploymentPath"]))));
        Assert.Contains(Text(cluster["deployment"]["name"]), set.Of<V1Deployment>().Keys);
        Assert.Contains(Text(cluster["service"]["name"]), set.Of<V1Service>().Keys);
        Assert.All(set.Of<V1Deployment>().Values, deployment => Assert.Equal(Text(cluster["namespace"]), deployment.Metadata.NamespaceProperty));

        foreach (YamlNode hook in (YamlNode[])[project["hooks"]["preprovision"], project["hooks"]["postprovision"], service["hooks"]["predeploy"]])
        {
            string script = Path.Combine(TestData.RepositoryRoot, Text(hook["run"]));
            Assert.StartsWith("#!/bin/sh\n", await File.ReadAllTextAsync(script, TestContext.Current.CancellationToken), StringComparison.Ordinal);
            if (!OperatingSystem.IsWindows()) Assert.True(File.GetUnixFileMode(script).HasFlag(UnixFileMode.UserExecute), $"{script} can't be executed");
        }
    }

    private static string Text(YamlNode node) => ((YamlScalarNode)node).Value!;
}
