using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Placement;
using Orleans.Runtime.MembershipService.SiloMetadata;
using TinyLlm.Engine;
using TinyLlm.Grains.Calls;
using TinyLlm.Grains.Collection;
using TinyLlm.Grains.Forgetting;
using TinyLlm.Grains.Operators;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Sessions;
using TinyLlm.Grains.Usage;
using TinyLlm.Grains.Users;

namespace TinyLlm.Grains;

/// <summary>Registers the grains on a silo. The host says what the silo is and has; it registers the store and the keys itself.</summary>
public static class TinyLlmGrains
{
    /// <summary>Placement, limits and the grains' shared services. Every silo needs it, whatever its roles.</summary>
    public static ISiloBuilder AddTinyLlmGrains(this ISiloBuilder silo, SiloRoles roles)
    {
        silo.UseSiloMetadata(roles.ToMetadata());
        // The default directory, when a silo leaves, deactivates every grain whose entry that silo kept, on silos that stay too: running answers
        // were cut by it. This one hands its entries over, and restores them after a crash. No other call of ours depends on its being experimental.
#pragma warning disable ORLEANSEXP003
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003
        // After a crash it would keep the dead silo's grains from starting elsewhere for half a minute, in case that silo is only cut off. Here a second
        // activation of a grain can't do harm: each write of a state is conditional on the one before, so the older loses and starts anew.
        silo.Configure<GrainDirectoryOptions>(options => options.RangeLeaseDuration = TimeSpan.Zero);
        silo.Services.AddPlacementFilter<CorePlacementFilterStrategy, CorePlacementFilterDirector>(ServiceLifetime.Transient);
        silo.Services.AddOptions<EncryptionOptions>().BindConfiguration("TinyLlm:Encryption");
        silo.Services.AddOptions<UserLimits>().BindConfiguration("TinyLlm:Limits").ValidateOnStart();
        silo.Services.AddSingleton<IValidateOptions<UserLimits>, UserLimitsValidator>();
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.TryAddSingleton<PromptWorkers>();
        silo.Services.AddSingleton<AcceleratorSilos>();
        silo.AddOutgoingGrainCallFilter<CallRepetition>();
        silo.Services.AddSingleton<SessionRouter>();
        silo.Services.AddOptions<SessionDrainOptions>().BindConfiguration("TinyLlm:Drain");
        silo.Services.AddSingleton<SessionDrain>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(services => services.GetRequiredService<SessionDrain>());
        silo.Services.AddPlacementDirector<SiloOfKeyStrategy, SiloOfKeyDirector>(ServiceLifetime.Singleton);
        silo.Services.AddOptions<RetentionOptions>().BindConfiguration("TinyLlm:Retention").ValidateOnStart();
        silo.Services.AddSingleton<IValidateOptions<RetentionOptions>, RetentionOptionsValidator>();
        silo.Services.AddSingleton<ClusterMemory>();
        silo.Services.AddSingleton<ClusterView>();
        silo.Services.AddSingleton<ReceiptOffice>();
        silo.Services.AddSingleton<UsageMeter>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(services => services.GetRequiredService<UsageMeter>());
        return silo;
    }

    /// <summary>Removes abandoned bytes from the stores, at the start and from time to time; for silos of the core role.</summary>
    public static ISiloBuilder AddCollection(this ISiloBuilder silo)
    {
        silo.Services.AddOptions<CollectionOptions>().BindConfiguration("TinyLlm:Collection").ValidateOnStart();
        silo.Services.AddSingleton<IValidateOptions<CollectionOptions>, CollectionOptionsValidator>();
        silo.Services.AddSingleton<StoreCollector>();
        silo.Services.AddHostedService<CollectionService>();
        return silo;
    }

    /// <summary>What a silo with an accelerator needs besides: the device's loop, and the host of its models.</summary>
    public static ISiloBuilder AddAccelerator(this ISiloBuilder silo, Accelerator accelerator)
    {
        silo.Services.AddOptions<DeviceLoopOptions>().BindConfiguration("TinyLlm:Engine").ValidateOnStart();
        silo.Services.AddSingleton<IValidateOptions<DeviceLoopOptions>, DeviceLoopOptionsValidator>();
        silo.Services.AddSingleton(_ => accelerator); // a factory, so that the container disposes it, after the loop that uses it
        silo.Services.AddSingleton(services => new DeviceLoop(
            services.GetRequiredService<Accelerator>().Backend, services.GetRequiredService<IOptions<DeviceLoopOptions>>().Value, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<DeviceLoop>>()));
        silo.Services.AddOptions<ResidencyOptions>().BindConfiguration("TinyLlm:Residency").ValidateOnStart();
        silo.Services.AddSingleton<IValidateOptions<ResidencyOptions>, ResidencyOptionsValidator>();
        silo.Services.AddSingleton<ModelHost>();
        silo.Services.AddSingleton<ModelTexts>();
        return silo;
    }
}
