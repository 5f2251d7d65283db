"""Tag and value representation (VR) of the DICOM attributes that the program names: read or ignored.

They are those of the data dictionary (DICOM PS3.6), here so that a night of ordinary files imports no DICOM
library. A test compares them with that of pydicom; what is not here is looked up there.
"""

from __future__ import annotations

_BY_REPRESENTATION = {
    "AS": """
        PatientAge=00101010
    """,
    "AT": """
        FrameIncrementPointer=00280009
    """,
    "CS": """
        AcquisitionTimeSynchronized=00181800 AlternateBeamDoseType=300A0092
        AnatomicalOrientationType=00102210 ApplicationSetupCheck=30080116 ApplicationSetupType=300A0232
        ApprovalStatus=300E0002 BeamDoseMeaning=300A008B BeamDoseType=300A0090
        BeamLimitingDeviceRotationDirection=300A0121 BeamStopperPosition=30080230 BeamType=300A00C4
        BodyPartExamined=00180015 BrachyTreatmentTechnique=300A0200 BrachyTreatmentType=300A0202
        BurnedInAnnotation=00280301 CardiacBeatRejectionTechnique=00189169 CardiacSignalSource=00189085
        CardiacSynchronizationTechnique=00189037 ColorSpace=00282002 ContentQualification=00189004
        ContrastBolusIngredient=00181048 CurrentTreatmentStatus=30080200 DetectorPositioningType=3002012F
        DimensionOrganizationType=00209311 DoseCalibrationConditionsVerifiedFlag=300C0123
        DoseReferenceStructureType=300A0014 DoseReferenceType=300A0020 DoseSummationType=3004000A
        DoseType=30040004 DoseUnits=30040002 DoseValueInterpretation=300A068B DoseValuePurpose=300A061D
        EnhancedRTBeamLimitingDeviceDefinitionFlag=300800A3 ExposureModulationType=00189323
        FilterMaterial=00187050 FixationEye=300A0150 FractionGroupType=30080224
        GantryPitchRotationDirection=300A014C GantryRotationDirection=300A011F HighDoseTechniqueType=300A00C7
        ImageLaterality=00200062 ImageType=00080008 InstanceOriginStatus=04000600 Laterality=00200060
        LongitudinalTemporalEventType=00120053 LongitudinalTemporalInformationModified=00280303
        LossyImageCompression=00282110 LossyImageCompressionMethod=00282114 ModalitiesInStudy=00080061
        Modality=00080060 ModulatedScanModeType=300A0309 MultienergyCTAcquisition=00189361
        NominalBeamEnergyUnit=300A0015 PatientAlternativeCalendar=00100035 PatientIdentityRemoved=00120062
        PatientOrientation=00200020 PatientPosition=00185100 PatientSex=00100040 PatientSexNeutered=00102203
        PatientSupportRotationDirection=300A0123 PatientSupportType=300A0350
        PhotometricInterpretation=00280004 PixelPresentation=00089205 PlanIntent=300A000A
        PresentationLUTShape=20500020 PrimaryDosimeterUnit=300A00B3 QualityControlImage=00280300
        QualityControlSubject=00100200 QueryRetrieveView=00080053 ROIGenerationAlgorithm=30060036
        RTBeamLimitingDeviceType=300A00B8 RTPlanGeometry=300A000C RTPlanRelationship=300A0055
        RTROIInterpretedType=300600A4 RadiationType=300A00C6 RecognizableVisualFeatures=00280302
        RespiratoryMotionCompensationTechnique=00189170 RespiratorySignalSource=00189171
        RespiratoryTriggerType=00209250 ResponsiblePersonRole=00102298 RotationDirection=00181140
        SOPInstanceStatus=01000410 ScanArcType=3002012E ScanMode=300A0308 ScanOptions=00180022
        ScanSpotReordered=300A0393 ScanSpotReorderingAllowed=300A0395 SliceProgressionDirection=00540500
        SmokingStatus=001021A0 SourceApplicatorType=300A0292 SourceMovementType=300A0288
        SpatialTransformOfDose=30040005 SpecificCharacterSet=00080005 StereoPairsPresent=00220028
        SynchronizationTrigger=0018106A SyntheticData=0008001C TableTopEccentricRotationDirection=300A0126
        TableTopPitchRotationDirection=300A0142 TableTopRollRotationDirection=300A0146
        TimeDistributionProtocol=00181802 TissueHeterogeneityCorrection=30040014
        TreatmentDeliveryType=300A00CE TreatmentRecordContentOrigin=300A0709
        TreatmentTerminationStatus=3008002A TreatmentVerificationStatus=3008002C TypeOfPatientID=00100022
        VOILUTFunction=00281056 VolumeBasedCalculationTechnique=00089207 VolumetricProperties=00089206
        WedgeType=300A00D3
    """,
    "DA": """
        AcquisitionDate=00080022 ContentDate=00080023 DateOfInstallation=00181205
        DateOfLastCalibration=00181200 DateOfManufacture=00181204 FirstTreatmentDate=30080054
        InstanceCreationDate=00080012 LastMenstrualDate=001021D0 MostRecentTreatmentDate=30080056
        PatientBirthDate=00100030 PerformedProcedureStepEndDate=00400250
        PerformedProcedureStepStartDate=00400244 RTPlanDate=300A0006 ReviewDate=300E0004 SeriesDate=00080021
        StructureSetDate=30060008 StudyDate=00080020 TreatmentControlPointDate=30080024
        TreatmentDate=30080250
    """,
    "DS": """
        AlternateBeamDose=300A0091 BeamDose=300A0084 BeamLimitingDeviceAngle=300A0120 BeamMeterset=300A0086
        BrachyApplicationSetupDose=300A00A4 BrachyApplicationSetupDoseSpecificationPoint=300A00A2
        ChairHeadFramePosition=300A0151 ChannelEffectiveLength=300A0271 ChannelInnerLength=300A0272
        ChannelLength=300A0284 ChannelTotalTime=300A0286 ConstraintWeight=300A0021
        ContrastBolusIngredientConcentration=00181049 ContrastBolusTotalDose=00181044
        ContrastBolusVolume=00181041 ContrastFlowDuration=00181047 ContrastFlowRate=00181046
        ControlPoint3DPosition=300A02D4 ControlPointRelativePosition=300A02D2
        CumulativeMetersetWeight=300A0134 CumulativeTimeWeight=300A02D6 DVHNormalizationDoseValue=30040042
        DVHNormalizationPoint=30040040 DataCollectionDiameter=00180090 DeliveredMeterset=30080044
        DeliveredPrimaryMeterset=30080036 DeliveredSecondaryMeterset=30080037 DeliveredTreatmentTime=3008003B
        DeliveryMaximumDose=300A0023 DeliveryWarningDose=300A0022 DistanceSourceToDetector=00181110
        DistanceSourceToPatient=00181111 DoseGridScaling=3004000E DoseRateDelivered=30080048
        DoseRateSet=300A0115 DoseReferencePointCoordinates=300A0018 EffectiveWedgeAngle=300A00DE
        FinalCumulativeMetersetWeight=300A010E FinalCumulativeTimeWeight=300A02C8 FocalSpots=00181190
        GantryAngle=300A011E GantryDetectorTilt=00181120 GridFrameOffsetVector=3004000C
        ImageAndFluoroscopyAreaDoseProduct=0018115E ImageOrientationPatient=00200037
        ImagePositionPatient=00200032 IsocenterPosition=300A012C KVP=00180060 LeafJawPositions=300A011C
        LossyImageCompressionRatio=00282112 MeasuredAPDimension=00101023 MeasuredLateralDimension=00101024
        NominalBeamEnergy=300A0114 NominalPriorDose=300A001A NormalizationPoint=30040008
        OrganAtRiskFullVolumeDose=300A002A OrganAtRiskLimitDose=300A002B OrganAtRiskMaximumDose=300A002C
        OrganAtRiskOverdoseVolumeFraction=300A002D PatientBodyMassIndex=00101022 PatientSize=00101020
        PatientSupportAngle=300A0122 PatientWeight=00101030 PixelSpacing=00280030
        PulseRepetitionInterval=300A028C ROIVolume=3006002C ReconstructionDiameter=00181100
        RescaleIntercept=00281052 RescaleSlope=00281053 SliceLocation=00201041 SliceThickness=00180050
        SourceApplicatorLength=300A0296 SourceApplicatorStepSize=300A02A0 SourceApplicatorTipLength=300A0274
        SourceApplicatorWallNominalThickness=300A029C SourceApplicatorWallNominalTransmission=300A029E
        SourceAxisDistance=300A00B4 SourceToSurfaceDistance=300A0130 SourceToWedgeTrayDistance=300A00DA
        SpacingBetweenSlices=00180088 SpatialResolution=00181050 SpecifiedMeterset=30080042
        SpecifiedPrimaryMeterset=30080032 SpecifiedSecondaryMeterset=30080033 SpecifiedTreatmentTime=3008003A
        SurfaceEntryPoint=300A012E TableHeight=00181130 TableTopEccentricAngle=300A0125
        TableTopEccentricAxisDistance=300A0124 TableTopLateralPosition=300A012A
        TableTopLongitudinalPosition=300A0129 TableTopVerticalPosition=300A0128 TargetMaximumDose=300A0027
        TargetMinimumDose=300A0025 TargetPrescriptionDose=300A0026 TargetUnderdoseVolumeFraction=300A0028
        TotalBlockTrayFactor=300A00F2 TotalCompensatorTrayFactor=300A00E2 TotalReferenceAirKerma=300A0250
        TransferTubeLength=300A02A4 WedgeFactor=300A00D6 WedgeOrientation=300A00D8 WindowCenter=00281050
        WindowWidth=00281051
    """,
    "DT": """
        AcquisitionDateTime=0008002A InstanceCoercionDateTime=00080015 ROIDateTime=3006002D
        ROIObservationDateTime=3006002E SOPAuthorizationDateTime=01000420
    """,
    "FD": """
        AcquisitionDuration=00189073 BeamDeliveryDurationLimit=300A00C5 CTDIvol=00189345
        CardiacRRIntervalSpecified=00189070 DataCollectionCenterPatient=00189313
        FrameOfReferenceToDisplayedCoordinateSystemTransformationMatrix=0070030B
        LongitudinalTemporalOffsetFromEvent=00120052 ReconstructionTargetCenterPatient=00189318
        RespiratoryTriggerDelayThreshold=00209256 RevolutionTime=00189305 SingleCollimationWidth=00189306
        SpiralPitchFactor=00189311 TableFeedPerRotation=00189310 TableSpeed=00189309
        TotalCollimationWidth=00189307 WaterEquivalentDiameter=00181271
    """,
    "FL": """
        CalciumScoringMassFactorDevice=00189352 CalciumScoringMassFactorPatient=00189351
        ControlPointOrientation=300A0412 EnergyWeightingFactor=00189353 ExternalContourEntryPoint=300A0133
        FixationLightAzimuthalAngle=300A0356 FixationLightPolarAngle=300A0358 GantryPitchAngle=300A014A
        HeadFixationAngle=300A0148 IsocenterToWedgeTrayDistance=300A00D9 MetersetRate=300A035A
        MetersetRateDelivered=30080046 MetersetRateSet=30080045 ScanSpotMetersetWeights=300A0396
        ScanSpotMetersetsDelivered=30080047 ScanSpotPositionMap=300A0394 ScanSpotSizesDelivered=300A0399
        ScanSpotTimeOffset=300A038F ScanningSpotSize=300A0398 SnoutPosition=300A030D
        SourceToExternalContourDistance=300A0132 TableTopPitchAngle=300A0140 TableTopRollAngle=300A0144
        TotalBlockTrayWaterEquivalentThickness=300A00F3 TotalCompensatorTrayWaterEquivalentThickness=300A02E3
        TotalWedgeTrayWaterEquivalentThickness=300A00D7 VirtualSourceAxisDistances=300A030A
    """,
    "IS": """
        AcquisitionNumber=00200012 ApplicationSetupNumber=300A0234
        ApplicatorShapeReferencedROINumber=300A02A1 BeamNumber=300A00C0 ChannelNumber=300A0282
        ControlPointIndex=300A0112 CurrentFractionNumber=30080022 DoseReferenceNumber=300A0012
        Exposure=00181152 ExposureInuAs=00181153 ExposureTime=00181150 FractionGroupNumber=300A0071
        GeneratorPower=00181170 HighRRValue=00181082 ImagesInAcquisition=00201002 InstanceNumber=00200013
        IntervalsAcquired=00181083 IntervalsRejected=00181084 LowRRValue=00181081 NumberOfBeams=300A0080
        NumberOfBlocks=300A00F0 NumberOfBoli=300A00ED NumberOfBrachyApplicationSetups=300A00A0
        NumberOfCompensators=300A00E0 NumberOfControlPoints=300A0110
        NumberOfFractionPatternDigitsPerDay=300A0079 NumberOfFractionsDelivered=3008005A
        NumberOfFractionsPlanned=300A0078 NumberOfFrames=00280008 NumberOfLateralSpreadingDevices=300A0330
        NumberOfPaintings=300A039A NumberOfPulses=300A028A NumberOfRangeModulators=300A0340
        NumberOfRangeShifters=300A0312 NumberOfScanSpotPositions=300A0392 NumberOfWedges=300A00D0
        ObservationNumber=30060082 PixelAspectRatio=00280034 ROINumber=30060022
        RadiationAtomicNumber=300A0304 RadiationMassNumber=300A0302 ReferencedBeamNumber=300C0006
        ReferencedBrachyApplicationSetupNumber=300C000C ReferencedControlPointIndex=300C00F0
        ReferencedDoseReferenceNumber=300C0051 ReferencedFractionGroupNumber=300C0022
        ReferencedFractionNumber=30080223 ReferencedPatientSetupNumber=300C006A ReferencedROINumber=30060084
        ReferencedSourceNumber=300C000E ReferencedToleranceTableNumber=300C00A0
        RepeatFractionCycleLength=300A007A ScanSpotPrescribedIndices=300A0391 SeriesNumber=00200011
        SkipBeats=00181086 SourceApplicatorNumber=300A0290 TemplateNumber=300A0240
        TransferTubeNumber=300A02A2 WedgeAngle=300A00D5 WedgeNumber=300A00D2 XRayTubeCurrent=00181151
    """,
    "LO": """
        AccessoryCode=300A00F9 AdmissionID=00380010 AdmittingDiagnosesDescription=00081080 Allergies=00102110
        ApplicationSetupManufacturer=300A0238 ApplicationSetupName=300A0236
        AuthorizationEquipmentCertificationNumber=01000426 BeamName=300A00C2 CardiacFramingType=00181064
        ClinicalTrialCoordinatingCenterName=00120060
        ClinicalTrialProtocolEthicsCommitteeApprovalNumber=00120082
        ClinicalTrialProtocolEthicsCommitteeName=00120081 ClinicalTrialProtocolID=00120020
        ClinicalTrialProtocolName=00120021 ClinicalTrialSeriesDescription=00120072
        ClinicalTrialSeriesID=00120071 ClinicalTrialSiteID=00120030 ClinicalTrialSiteName=00120031
        ClinicalTrialSponsorName=00120010 ClinicalTrialSubjectID=00120040
        ClinicalTrialSubjectReadingID=00120042 ClinicalTrialTimePointID=00120050
        ContainerDescription=0040051A ContainerIdentifier=00400512 ContrastBolusAgent=00180010
        ContrastBolusRoute=00181040 DeidentificationMethod=00120063 DeviceSerialNumber=00181000
        DoseComment=30040006 DoseReferenceDescription=300A0016 EntityLongLabel=30100038
        FractionGroupDescription=300A0072 GantryID=00181008 InstitutionName=00080080
        InstitutionalDepartmentName=00081040 IssuerOfClinicalTrialProtocolID=00120022
        IssuerOfClinicalTrialSeriesID=00120073 IssuerOfClinicalTrialSiteID=00120032
        IssuerOfClinicalTrialSubjectID=00120041 IssuerOfClinicalTrialSubjectReadingID=00120043
        IssuerOfClinicalTrialTimePointID=00120055 IssuerOfPatientID=00100021 Manufacturer=00080070
        ManufacturerModelName=00081090 MedicalAlerts=00102000 NTPSourceAddress=00181803
        PatientBirthDateInAlternativeCalendar=00100033 PatientBreedDescription=00102292
        PatientDeathDateInAlternativeCalendar=00100034 PatientID=00100020 PatientSpeciesDescription=00102201
        PatientState=00380500 PatientSupportAccessoryCode=300A0354 PerformedProcedureStepDescription=00400254
        PositionReferenceIndicator=00201040 ProtocolName=00181030 ROIGenerationDescription=30060038
        ROIName=30060026 RTPlanName=300A0003 RequestingService=00321033 RescaleType=00281054
        ResponsibleOrganization=00102299 SeriesDescription=0008103E ServiceEpisodeDescription=00380062
        ServiceEpisodeID=00380060 SoftwareVersions=00181020 SourceApplicatorManufacturer=300A0298
        SourceApplicatorName=300A0294 StrainNomenclature=00100213 StructureSetName=30060004
        StudyDescription=00081030 TemplateName=300A0244 TreatmentProtocols=300A0009 TreatmentSite=30100077
        TriggerSourceOrType=00181061 WindowCenterWidthExplanation=00281055
    """,
    "LT": """
        AdditionalPatientHistory=001021B0 BarcodeValue=22000005 FractionPattern=300A007B
        ImageComments=00204000 PatientComments=00104000 SOPAuthorizationComment=01000424
    """,
    "OB": """
        ICCProfile=00282000
    """,
    "OB or OW": """
        PixelData=7FE00010
    """,
    "OV": """
        ExtendedOffsetTable=7FE00001 ExtendedOffsetTableLengths=7FE00002
    """,
    "OW": """
        BluePaletteColorLookupTableData=00281203 GreenPaletteColorLookupTableData=00281202
        RedPaletteColorLookupTableData=00281201
    """,
    "PN": """
        ConsultingPhysicianName=0008009C NameOfPhysiciansReadingStudy=00081060 OperatorsName=00081070
        OtherPatientNames=00101001 PatientName=00100010 PerformingPhysicianName=00081050
        PhysiciansOfRecord=00081048 ROIInterpreter=300600A6 ReferringPhysicianName=00080090
        ResponsiblePerson=00102297 ReviewerName=300E0008
    """,
    "SH": """
        AccessionNumber=00080050 AfterloaderChannelID=300A0273 ConvolutionKernel=00181210 FilterType=00181160
        MaterialID=300A00E1 Occupation=00102180 PatientSupportID=300A0352 PerformedProcedureStepID=00400253
        RTPlanLabel=300A0002 ScanSpotTuneID=300A0390 ScheduledProcedureStepID=00400009
        SourceApplicatorID=300A0291 StationName=00081010 StructureSetLabel=30060002 StudyID=00200010
        TemplateType=300A0242 TimeSource=00181801 TimezoneOffsetFromUTC=00080201
        TreatmentMachineName=300A00B2 WedgeID=300A00D4
    """,
    "SQ": """
        AcquisitionContextSequence=00400555 AdmittingDiagnosesCodeSequence=00081084
        AlternateContainerIdentifierSequence=00400515 AnatomicRegionSequence=00082218
        ApplicationSetupSequence=300A0230 ApplicatorSequence=300A0107
        BeamLimitingDeviceLeafPairsSequence=300800A0 BeamLimitingDevicePositionSequence=300A011A
        BeamLimitingDeviceSequence=300A00B6 BeamSequence=300A00B0 BlockSequence=300A00F4
        BrachyAccessoryDeviceSequence=300A0260 BrachyControlPointSequence=300A02D0
        BrachyReferencedDoseReferenceSequence=300C0055 BreedRegistrationSequence=00102294
        CTAcquisitionDetailsSequence=00189304 CTAcquisitionTypeSequence=00189301
        CTAdditionalXRaySourceSequence=00189360 CTDIPhantomTypeCodeSequence=00189346
        CTExposureSequence=00189321 CTGeometrySequence=00189312 CTImageFrameTypeSequence=00189329
        CTPositionSequence=00189326 CTReconstructionSequence=00189314 CTTableDynamicsSequence=00189308
        CTXRayDetailsSequence=00189325 CalculatedDoseReferenceSequence=30080070
        CardiacSynchronizationSequence=00189118 ChannelSequence=300A0280 ChannelShieldSequence=300A02B0
        ClinicalTrialTimePointTypeCodeSequence=00120054 CodingSchemeIdentificationSequence=00080110
        CompensatorSequence=300A00E3 ConceptualVolumeIdentificationSequence=301000A0
        ConsentForClinicalTrialUseSequence=00120083 ConsultingPhysicianIdentificationSequence=0008009D
        ContainerComponentSequence=00400520 ContainerTypeCodeSequence=00400518
        ContextGroupIdentificationSequence=00080123 ContourImageSequence=30060016
        ContrastBolusAdministrationRouteSequence=00180014 ContrastBolusAgentSequence=00180012
        ContrastBolusUsageSequence=00189341 ContributingEquipmentSequence=0018A001
        ControlPointDeliverySequence=30080040 ControlPointSequence=300A0111
        ConversionSourceAttributesSequence=00209172 CorrectedParameterSequence=30080068 DVHSequence=30040050
        DefinitionSourceSequence=00081156 DeidentificationMethodCodeSequence=00120064
        DeliveredDepthDoseParametersSequence=300A0506 DepthDoseParametersSequence=300A0505
        DerivationCodeSequence=00089215 DerivationImageSequence=00089124 DeviceSequence=00500010
        DigitalSignaturesSequence=FFFAFFFA DimensionIndexSequence=00209222
        DimensionOrganizationSequence=00209221 DoseCalibrationConditionsSequence=300C0120
        DoseReferenceSequence=300A0010 EncryptedAttributesSequence=04000500
        EnhancedRTBeamLimitingDeviceSequence=300800A1 EnhancedRTBeamLimitingOpeningSequence=300800A2
        EthnicGroupCodeSequence=00102161 FractionGroupSequence=300A0070 FractionGroupSummarySequence=30080220
        FractionStatusSummarySequence=30080240 FrameAnatomySequence=00209071 FrameContentSequence=00209111
        FrameExtractionSequence=00081164 FrameVOILUTSequence=00289132
        GatingBeamHoldTransitionSequence=300C0125 GeneralAccessorySequence=300A0420
        GeneticModificationsSequence=00100221 GroupOfPatientsIdentificationSequence=00100027
        HL7StructuredDocumentReferenceSequence=0040A390 IconImageSequence=00880200
        ImagingEquipmentToTreatmentDeliveryDeviceRelationshipSequence=300A07A1
        InstitutionalDepartmentTypeCodeSequence=00081041 InterlockSequence=300A0740
        IonBeamLimitingDeviceSequence=300A03A4 IonBeamSequence=300A03A2 IonBlockSequence=300A03A6
        IonControlPointDeliverySequence=30080041 IonControlPointSequence=300A03A8
        IonRangeCompensatorSequence=300A02EA IonToleranceTableSequence=300A03A0
        IonWedgePositionSequence=300A03AC IonWedgeSequence=300A03AA
        IrradiationEventIdentificationSequence=00189477 IssuerOfAccessionNumberSequence=00080051
        IssuerOfAdmissionIDSequence=00380014 IssuerOfPatientIDQualifiersSequence=00100024
        IssuerOfServiceEpisodeIDSequence=00380064 IssuerOfTheContainerIdentifierSequence=00400513
        LateralSpreadingDeviceSequence=300A0332 LateralSpreadingDeviceSettingsSequence=300A0370
        MACParametersSequence=4FFE0001 MachineSpecificTreatmentTerminationCodeSequence=300A0716
        MappingResourceIdentificationSequence=00080124 MeasuredDoseReferenceSequence=30080010
        MultienergyCTAcquisitionSequence=00189362 MultienergyCTCharacteristicsSequence=00189364
        MultienergyCTPathSequence=00189379 MultienergyCTProcessingSequence=00189363
        MultienergyCTXRayDetectorSequence=0018936F MultienergyCTXRaySourceSequence=00189365
        OperatorIdentificationSequence=00081072 OriginalAttributesSequence=04000561
        OtherClinicalTrialProtocolIDsSequence=00120023 OtherPatientIDsSequence=00101002
        OverrideSequence=30080060 PatientBreedCodeSequence=00102293
        PatientEquipmentRelationshipCodeSequence=30100030 PatientOrientationCodeSequence=00540410
        PatientSetupSequence=300A0180 PatientSizeCodeSequence=00101021 PatientSpeciesCodeSequence=00102202
        PatientToEquipmentRelationshipSequence=300A07A0 PatientTreatmentPreparationSequence=300A079F
        PerFrameFunctionalGroupsSequence=52009230 PerformedProtocolCodeSequence=00400260
        PerformingPhysicianIdentificationSequence=00081052 PhysiciansOfRecordIdentificationSequence=00081049
        PhysiciansReadingStudyIdentificationSequence=00081062 PixelMeasuresSequence=00289110
        PixelValueTransformationSequence=00289145 PlanOverviewSequence=300C0116
        PlaneOrientationSequence=00209116 PlanePositionSequence=00209113
        PlannedVerificationImageSequence=300A00CA PredecessorStructureSetSequence=30060018
        PrimaryAnatomicStructureSequence=00082228 PrimaryFluenceModeSequence=30020050
        PrivateDataElementCharacteristicsSequence=00080300 ProcedureCodeSequence=00081032
        ROIContourSequence=30060039 ROICreatorSequence=3006004D
        ROIDerivationAlgorithmIdentificationSequence=30060037 ROIInterpreterSequence=3006004E
        ROIObservationContextCodeSequence=3006004F ROIPhysicalPropertiesSequence=300600B0
        RTProtocolCodeSequence=3010005B RTROIIdentificationCodeSequence=30060086
        RTROIObservationsSequence=30060080 RTReferencedSeriesSequence=30060014
        RTReferencedStudySequence=30060012 RTRelatedROISequence=30060030
        RTTreatmentTechniqueCodeSequence=30100080 RTTreatmentTerminationReasonCodeSequence=300A0715
        RadiationDeviceConfigurationAndCommissioningKeySequence=300A065A RangeModulatorSequence=300A0342
        RangeModulatorSettingsSequence=300A0380 RangeShifterSequence=300A0314
        RangeShifterSettingsSequence=300A0360 RealWorldValueMappingSequence=00409096
        ReasonForPerformedProcedureCodeSequence=00401012 ReasonForVisitCodeSequence=00321067
        RecordedBlockSequence=300800D0 RecordedBrachyAccessoryDeviceSequence=30080120
        RecordedChannelSequence=30080130 RecordedCompensatorSequence=300800C0
        RecordedLateralSpreadingDeviceSequence=300800F4 RecordedRangeModulatorSequence=300800F6
        RecordedRangeShifterSequence=300800F2 RecordedSnoutSequence=300800F0 RecordedSourceSequence=30080100
        RecordedWedgeSequence=300800B0 ReferencedBeamSequence=300C0004 ReferencedBolusSequence=300C00B0
        ReferencedBrachyApplicationSetupSequence=300C000A ReferencedCalculatedDoseReferenceSequence=30080090
        ReferencedDefinedProtocolSequence=0018990C ReferencedDoseReferenceSequence=300C0050
        ReferencedDoseSequence=300C0080 ReferencedFractionGroupSequence=300C0020
        ReferencedFrameOfReferenceSequence=30060010 ReferencedImageEvidenceSequence=00089092
        ReferencedImageSequence=00081140 ReferencedInstanceSequence=0008114A
        ReferencedMeasuredDoseReferenceSequence=30080080 ReferencedPatientPhotoSequence=00101100
        ReferencedPatientSequence=00081120 ReferencedPerformedProcedureStepSequence=00081111
        ReferencedPerformedProtocolSequence=0018990D ReferencedPresentationStateSequence=00089237
        ReferencedRTPlanSequence=300C0002 ReferencedRawDataSequence=00089121
        ReferencedReferenceImageSequence=300C0042 ReferencedSeriesSequence=00081115
        ReferencedSpatialRegistrationSequence=00700404 ReferencedStructureSetSequence=300C0060
        ReferencedStudySequence=00081110 ReferencedTreatmentRecordSequence=30080030
        ReferencedVerificationImageSequence=300C0040 ReferencedWaveformSequence=0008113A
        ReferringPhysicianIdentificationSequence=00080096 RelatedRTROIObservationsSequence=300600A0
        RelatedSeriesSequence=00081250 RequestAttributesSequence=00400275
        RequestingServiceCodeSequence=00321034 RespiratorySynchronizationSequence=00209253
        ScanStartPositionSequence=3002012B ScanStopPositionSequence=3002012C
        SegmentedPropertyCategoryCodeSequence=00620003 SeriesDescriptionCodeSequence=0008103F
        SharedFunctionalGroupsSequence=52009229 SnoutSequence=300A030C SourceImageEvidenceSequence=00089154
        SourceImageSequence=00082112 SourceInstanceSequence=00420013
        SourcePatientGroupIdentificationSequence=00100026 SourceSequence=300A0210
        SourceSeriesInformationSequence=3006004C SpecimenDescriptionSequence=00400560
        StrainCodeSequence=00100219 StrainStockSequence=00100216 StructureSetROISequence=30060020
        StudiesContainingOtherReferencedInstancesSequence=00081200 TemporalPositionSequence=00209310
        TherapeuticRoleCategoryCodeSequence=30100064 TherapeuticRoleTypeCodeSequence=30100065
        ToleranceTableSequence=300A0040 TreatmentMachineSequence=300A0206
        TreatmentSessionApplicationSetupSequence=30080110 TreatmentSessionBeamSequence=30080020
        TreatmentSessionIonBeamSequence=30080021 TreatmentSiteCodeSequence=30100078
        TreatmentSummaryCalculatedDoseReferenceSequence=30080050
        TreatmentSummaryMeasuredDoseReferenceSequence=300800E0 UDISequence=0018100A VOILUTSequence=00283010
        ViewCodeSequence=00540220 WaterEquivalentDiameterCalculationMethodCodeSequence=00181272
        WedgePositionSequence=300A0116 WedgeSequence=300A00D1
    """,
    "SS": """
        RadiationChargeState=300A0306
    """,
    "ST": """
        AcquisitionContextDescription=00400556 BeamDescription=300A00C3
        ClinicalTrialTimePointDescription=00120051 CommentsOnThePerformedProcedureStep=00400280
        DerivationDescription=00082111 InstitutionAddress=00080081 PrescriptionDescription=300A000E
        ROIDescription=30060028 RTPlanDescription=300A0004 StructureSetDescription=30060006
        TreatmentStatusComment=30080202 TreatmentTerminationDescription=300A0730
    """,
    "TM": """
        AcquisitionTime=00080032 ContentTime=00080033 ContrastBolusStartTime=00181042
        ContrastBolusStopTime=00181043 InstanceCreationTime=00080013 PatientBirthTime=00100032
        PerformedProcedureStepEndTime=00400251 PerformedProcedureStepStartTime=00400245 RTPlanTime=300A0007
        ReviewTime=300E0005 SeriesTime=00080031 StructureSetTime=30060009 StudyTime=00080030
        TimeOfLastCalibration=00181201 TreatmentControlPointTime=30080025 TreatmentTime=30080251
    """,
    "UC": """
        StrainDescription=00100212
    """,
    "UI": """
        AcquisitionUID=00080017 ConcatenationUID=00209161 DeviceUID=00181002 DoseReferenceUID=300A0013
        EquipmentFrameOfReferenceUID=300A0675 FrameOfReferenceUID=00200052 InstanceCreatorUID=00080014
        IrradiationEventUID=00083010 ManufacturerDeviceClassUID=0018100B MediaStorageSOPClassUID=00020002
        MediaStorageSOPInstanceUID=00020003 OriginalSpecializedSOPClassUID=0008001B
        ReferencedDoseReferenceUID=300A0083 ReferencedFrameOfReferenceUID=30060024
        ReferencedSOPClassUID=00081150 ReferencedSOPInstanceUID=00081155 RelatedGeneralSOPClassUID=0008001A
        SOPClassUID=00080016 SOPInstanceUID=00080018 SOPInstanceUIDOfConcatenationSource=00200242
        SeriesInstanceUID=0020000E StudyInstanceUID=0020000D SynchronizationFrameOfReferenceUID=00200200
        TableTopPositionAlignmentUID=300A0054 TreatmentSessionUID=300A0700
    """,
    "UL": """
        ConcatenationFrameOffsetNumber=00209228
    """,
    "UR": """
        PixelDataProviderURL=00287FE0
    """,
    "US": """
        BitsAllocated=00280100 BitsStored=00280101 ClinicalFractionNumber=300A0705 Columns=00280011
        HighBit=00280102 InConcatenationNumber=00209162 InConcatenationTotalNumber=00209163
        PixelRepresentation=00280103 PlanarConfiguration=00280006 PregnancyStatus=001021C0
        ReferencedPathIndex=00189378 ReferencedPlanOverviewIndex=300C0118 RepresentativeFrameNumber=00286010
        Rows=00280010 SamplesPerPixel=00280002 SynchronizationChannel=0018106C
    """,
    "US or SS": """
        BluePaletteColorLookupTableDescriptor=00281103 GreenPaletteColorLookupTableDescriptor=00281102
        LargestImagePixelValue=00280107 LargestPixelValueInSeries=00280109 PixelPaddingRangeLimit=00280121
        PixelPaddingValue=00280120 RedPaletteColorLookupTableDescriptor=00281101
        SmallestImagePixelValue=00280106 SmallestPixelValueInSeries=00280108
    """,
    "UT": """
        ReasonForVisit=00321066 StrainAdditionalInformation=00100218
    """,
    "UV": """
        EncapsulatedPixelDataValueTotalLength=7FE00003
    """,
}

ATTRIBUTES: dict[str, tuple[int, str]] = {
    keyword: (int(number, 16), representation)
    for representation, listed in _BY_REPRESENTATION.items()
    for keyword, _, number in (one.partition("=") for one in listed.split())
}
"""Keyword to tag and value representation."""
