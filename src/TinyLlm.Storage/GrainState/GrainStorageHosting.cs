using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Runtime.Hosting;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace TinyLlm.Storage;

/// <summary>Registers stores and the grain storage over them.</summary>
public static class GrainStorageHosting
{
    /// <summary>The name under which grains ask for their storage; the official provider goes by the same.</summary>
    public const string DefaultName = "AzureBlobStorage";

    /// <summary>
    /// The stores of a data folder: <see cref="DataFolder.Objects"/> as the <see cref="ObjectStore"/>, <see cref="DataFolder.GrainState"/> under its
    /// container's name as a key, so too <see cref="DataFolder.KeyEnvelopes"/>, and <see cref="ModelFiles"/>. <see cref="KeyEnvelopes"/> needs a
    /// <see cref="HostKeyRing"/>, which only a core process registers. The folder stays the caller's to dispose.
    /// </summary>
    public static IServiceCollection AddTinyLlmStorage(this IServiceCollection services, DataFolder folder) =>
        services.AddTinyLlmStorage(folder.Objects, folder.GrainState, folder.KeyEnvelopes);

    /// <summary>Stores of any kind; see the other overload. Without <paramref name="keyEnvelopes"/> no grain that needs users' keys may be placed here.</summary>
    public static IServiceCollection AddTinyLlmStorage(this IServiceCollection services, ObjectStore objects, ObjectStore grainState, ObjectStore? keyEnvelopes)
    {
        services.AddSingleton(objects);
        services.AddKeyedSingleton(DataFolder.GrainStateContainer, grainState);
        if (keyEnvelopes is not null)
        {
            services.AddKeyedSingleton(DataFolder.KeyEnvelopesContainer, keyEnvelopes);
            services.AddSingleton(provider => new KeyEnvelopes(keyEnvelopes, provider.GetRequiredService<HostKeyRing>()));
        }
        services.AddSingleton(new AuditReader(objects));
        return services.AddSingleton(new ModelFiles(objects));
    }

    /// <summary>Grain storage over the store that is registered under <see cref="DataFolder.GrainStateContainer"/>, as System.Text.Json.</summary>
    public static ISiloBuilder AddTinyLlmGrainStorage(this ISiloBuilder builder, string name = DefaultName)
    {
        builder.Services.AddGrainStorage(name, static (services, _) => new ObjectGrainStorage(
            services.GetRequiredKeyedService<ObjectStore>(DataFolder.GrainStateContainer),
            new SystemTextJsonGrainStorageSerializer(services.GetRequiredService<IOptions<SystemTextJsonGrainStorageSerializerOptions>>()),
            services.GetRequiredService<IActivatorProvider>()));

        // Else a failure of the service, passing through a grain call, would hide behind "no codec for this exception".
        builder.Services.Configure<ExceptionSerializationOptions>(static options => options.SupportedNamespacePrefixes.Add(nameof(Azure)));
        return builder;
    }
}
